"""Run the experiment: `python -m experiments.myasthenia`."""

from experiments.common import main
from experiments.myasthenia.run import run

main("myasthenia", run)
