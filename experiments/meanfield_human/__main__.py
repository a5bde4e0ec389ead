"""Run the experiment: `python -m experiments.meanfield_human`."""

from experiments.common import main
from experiments.meanfield_human.run import run

main("meanfield_human", run)
