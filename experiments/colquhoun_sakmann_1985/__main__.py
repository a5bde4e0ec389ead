"""Run the experiment: `python -m experiments.colquhoun_sakmann_1985`."""

from experiments.colquhoun_sakmann_1985.run import run
from experiments.common import main

main("colquhoun_sakmann_1985", run)
