"""What the host does around the executors: settings checked, jobs and batches, memory, progress, statistics."""
