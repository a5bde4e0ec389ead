"""Run the experiment: `python -m experiments.convergence`."""

from experiments.common import main
from experiments.convergence.run import run

main("convergence", run)
