"""Where the open channels stand: read from the kernel's sites at the end of a short run.

Records hold counts only, so this steps the kernel's own batches and looks at their last state.
"""

from __future__ import annotations

import jax
import numpy as np

from nmjmc.kernel import simulate as kernel
from nmjmc.kernel.host.job import Members
from nmjmc.kernel.jax_pass.batch import Batch
from nmjmc.kernel.jax_pass.programs import Programs
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from nmjmc.synapse.model import Synapse

STATE = 0xFF  # the low byte of a site's word is its state


def open_distances(
    synapse: Synapse, vesicles: int, seed: int, at: float, interval: float
) -> list[np.ndarray]:
    """Distances of the open channels from the release site at one time.

    Args:
        synapse: with its release site at the centre.
        vesicles: quanta, those of `nmjmc.simulate` with the same seed.
        seed: of the run.
        at: when [ms].
        interval: between records [ms]; a divisor of `at`.

    Returns:
        Distances of each quantum's open channels, rising [um].
    """
    numerics = Numerics(executor="jax")
    job = kernel.make_job(synapse, seed, at, interval, numerics)
    content = release.contents(synapse.vesicle, seed, 0, vesicles)
    size = kernel.patches_of_a_batch(job, content, numerics, jax.devices()[:1])
    distance = _receptor_distances(job.lowered.tables.lattice)
    scheme = synapse.receptor.scheme
    conducting = [scheme.index(s) for s in scheme.open_states]
    found = []
    for start in range(0, vesicles, size):
        part = content[start : start + size]
        members = Members(np.zeros(len(part), int), start + np.arange(len(part)), part)
        batch = Batch(job, members, Programs(jax.devices()[0]))
        while not batch.done:
            batch.advance()
        sites = len(job.lowered.tables.template)
        states = np.asarray(batch.state.sites)[: batch.patches * sites] & STATE
        states = states.reshape(batch.patches, sites)[:, : distance.size]
        found += [np.sort(distance[np.isin(row, conducting)]) for row in states]
    return found


def _receptor_distances(lattice) -> np.ndarray:
    """Distance of the middle of each receptor tile from the centre [um]."""
    across, pitch = int(lattice.across[0]), float(lattice.pitch[0])
    centre = (np.arange(across) + 0.5) * pitch - float(lattice.half)
    return np.hypot(centre[None, :], centre[:, None]).ravel()
