"""Run the experiment: `python -m experiments.lambert_eaton`."""

from experiments.common import main
from experiments.lambert_eaton.run import run

main("lambert_eaton", run)
