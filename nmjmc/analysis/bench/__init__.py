"""The analyses that laboratories do with quantal data, each number with its error.

Each file derives what it estimates, says what the estimate assumes, and which way it is off where that does not hold.
"""
