"""Run the experiment: `python -m experiments.competitive_block`."""

from experiments.common import main
from experiments.competitive_block.run import run

main("competitive_block", run)
