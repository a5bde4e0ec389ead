"""A simulation asked for, run, and put together: of one synapse, of many at once, in blocks or in several processes."""
