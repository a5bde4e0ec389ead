"""Run the experiment: `python -m experiments.botulism`."""

from experiments.botulism.run import run
from experiments.common import main

main("botulism", run)
