"""Run the experiment: `python -m experiments.hartzell_1975`."""

from experiments.common import main
from experiments.hartzell_1975.run import run

main("hartzell_1975", run)
