"""Run the experiment: `python -m experiments.wathey_1979`."""

from experiments.common import main
from experiments.wathey_1979.run import run

main("wathey_1979", run)
