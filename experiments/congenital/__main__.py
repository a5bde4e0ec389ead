"""Run the experiment: `python -m experiments.congenital`."""

from experiments.common import main
from experiments.congenital.run import run

main("congenital", run)
