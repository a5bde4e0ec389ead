"""The executor `jax`: a pass over all patches at once, in pure JAX."""
