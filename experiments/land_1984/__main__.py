"""Run the experiment: `python -m experiments.land_1984`."""

from experiments.common import main
from experiments.land_1984.run import run

main("land_1984", run)
