"""Run the experiment: `python -m experiments.hatton_2003`."""

from experiments.common import main
from experiments.hatton_2003.run import run

main("hatton_2003", run)
