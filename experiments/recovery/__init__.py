"""Recovery of six parameters from synthetic quanta of the particle kernel, and the coverage of their intervals."""
