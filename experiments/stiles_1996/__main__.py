"""Run the experiment: `python -m experiments.stiles_1996`."""

from experiments.common import main
from experiments.stiles_1996.run import run

main("stiles_1996", run)
