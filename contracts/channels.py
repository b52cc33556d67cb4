"""What can be done over which channel: one matrix, for the doctor and for refusals."""

from __future__ import annotations

from enum import StrEnum

from contracts.vocabulary import Channel


class Feature(StrEnum):
    """Something that a store must allow for it to be done."""

    CHECK = "check"
    DIGEST = "digest on the server"
    SUITE = "suite on the server"
    REPAIR = "repair"
    REPLICATE = "replicate"
    MIGRATE = "migrate"
    DUMP = "backup by pg_dump"


MATRIX: dict[Channel, frozenset[Feature]] = {
    Channel.SQL: frozenset(Feature),
    Channel.RPC: frozenset(Feature) - {Feature.SUITE, Feature.MIGRATE, Feature.DUMP},
    Channel.ROWS: frozenset({Feature.CHECK, Feature.REPAIR}),
}
"""Over rows only a repair is weaker: it deletes nothing, and what a trigger touches does not stay as it was written."""
