"""Molecules to be seen: a page to turn and play, a film, and files for other viewers."""
