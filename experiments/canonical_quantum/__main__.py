"""Run the experiment: `python -m experiments.canonical_quantum`."""

from experiments.canonical_quantum.run import run
from experiments.common import main

main("canonical_quantum", run)
