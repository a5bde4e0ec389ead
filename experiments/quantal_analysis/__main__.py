"""Run the experiment: `python -m experiments.quantal_analysis`."""

from experiments.common import main
from experiments.quantal_analysis.run import run

main("quantal_analysis", run)
