"""Run the experiment: `python -m experiments.healthy_muscle`."""

from experiments.common import main
from experiments.healthy_muscle.run import run

main("healthy_muscle", run)
