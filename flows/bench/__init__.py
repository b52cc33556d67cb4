"""The benchmark: twinstore and the named alternatives on the same tables, in one run."""
