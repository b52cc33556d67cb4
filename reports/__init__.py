"""Renderers of a finished run; they know the values of contracts and nothing else."""
