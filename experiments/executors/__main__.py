"""Run the experiment: `python -m experiments.executors`."""

from experiments.common import main
from experiments.executors.run import run

main("executors", run)
