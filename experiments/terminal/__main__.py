"""Run the experiment: `python -m experiments.terminal`."""

from experiments.common import main
from experiments.terminal.run import run

main("terminal", run)
