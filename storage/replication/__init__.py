"""Replication of a dataset between the two stores: the doors of both sides, and the relay between them."""
