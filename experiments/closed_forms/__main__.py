"""Run the experiment: `python -m experiments.closed_forms`."""

from experiments.closed_forms.run import run
from experiments.common import main

main("closed_forms", run)
