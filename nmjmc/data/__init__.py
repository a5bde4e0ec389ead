"""What is kept: results, their files, checkpoints, and where a number came from."""
