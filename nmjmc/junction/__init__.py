"""The whole junction: terminal, endplate current, muscle action potential, contraction, trains of stimuli."""
