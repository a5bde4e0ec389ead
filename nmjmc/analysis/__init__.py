"""What is asked of a trace: the same code for recordings and for simulations."""
