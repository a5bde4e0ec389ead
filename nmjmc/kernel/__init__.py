"""The motion: the particle Monte Carlo of one patch of junction, thousands of them side by side.

Where to look:

    simulate, many      one run; many parameter sets in one run
    numerics, executor  the settings; which of the two programs follows the patches
    physics/            tables and physics of a journey and a site: what both programs compute with
    event/              the event kernel: one thread follows one patch, event after event (executor `warp`)
    jax_pass/           a pass over all patches at once, in pure JAX (executor `jax`)
    host/               what the host does around them: settings checked, jobs, memory, progress, statistics
"""
