"""Run the experiment: `python -m experiments.contraction`."""

from experiments.common import main
from experiments.contraction.run import run

main("contraction", run)
