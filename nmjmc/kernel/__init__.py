"""The motion: the particle Monte Carlo of one patch of junction, thousands of them side by side."""
