"""The tables of the memory that hold which repairs there were, and which keys did not stay repaired."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from storage.state.tables import METADATA, Instant

# One row per plan that was made, applied or not.
REPAIRS = Table(
    "repairs",
    METADATA,
    Column("environment", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("run_id", Text),
    Column("steps", BigInteger, nullable=False),
    Column("left_over", BigInteger, nullable=False),  # findings that the plan leaves to people
    Column("ended", Text, nullable=False),
    Column("begun_at", Instant),
    Column("ended_at", Instant),
    Column("approved_by", Text),
    Column("overrides", Text, nullable=False),  # a JSON list of brake, value and who released it
    Column("outcomes", Text, nullable=False),  # a JSON object: number of steps by outcome
    Column("agree", BigInteger),
    Column("unconverged", BigInteger),
    Column("undoes", Text),
    Column("before_undo", Text),  # how it had ended before it was taken back
    Column("deletes", BigInteger),
)

# The keys that a repair wrote and that did not stay so: the next plan leaves them to people.
UNSTEADY_KEYS = Table(
    "unsteady_keys",
    METADATA,
    Column("environment", Text, primary_key=True),
    Column("dataset", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("why", Text, nullable=False),  # a sentence of ours
    Column("repair_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
