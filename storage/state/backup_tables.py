"""The table of the memory that holds which backups there are, and when they were verified."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from storage.state.tables import METADATA, Instant

BACKUPS = Table(
    "backups",
    METADATA,
    Column("environment", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("verified_at", Instant),  # NULL where it never was, or the last drill found a flaw
)
