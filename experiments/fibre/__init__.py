"""The muscle fibre alone, against what a right one shows."""
