"""The bank's SQL, hand-written, and nothing else."""
