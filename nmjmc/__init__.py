"""Monte Carlo simulation of the neuromuscular junction, molecule by molecule, in JAX."""

__version__ = "0.1.0"
