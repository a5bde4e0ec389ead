"""Bedside tests: what each is asked (requests), how it is run, and what it leaves (an examination)."""
