"""Run the experiment: `python -m experiments.fibre`."""

from experiments.common import main
from experiments.fibre.run import run

main("fibre", run)
