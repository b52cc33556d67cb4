"""The files of a new dataset, written from live tables as a starting point."""
