"""Run the experiment: `python -m experiments.recovery`."""

from experiments.common import main
from experiments.recovery.run import run

main("recovery", run)
