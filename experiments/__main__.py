"""Run every experiment, or those named: `python -m experiments [--fast] [NAME ...]`."""

from experiments.common import EXPERIMENTS, main_all

main_all(EXPERIMENTS)
