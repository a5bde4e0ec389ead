"""Bedside tests: repetitive nerve stimulation, single-fibre EMG, train of four."""
