"""Run the experiment: `python -m experiments.estimators`."""

from experiments.common import main
from experiments.estimators.run import run

main("estimators", run)
