"""Published results and references, each reproduced by a command: `python -m experiments.NAME`."""
