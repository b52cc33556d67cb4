"""Backups: made beside a digest of the same moment, proven by a drill, restored in one transaction."""
