"""One experiment; see `run.py`."""
