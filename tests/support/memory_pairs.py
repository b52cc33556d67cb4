"""Two stores in memory, and their comparison without waiting."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

from contracts.vocabulary import StoreName
from storage.parity.engine import Parity, ParityOptions, compare
from storage.parity.recheck import Patience
from storage.parity.standing import Placing
from tests.support.memory_store import MemoryReader
from tests.support.row_pairs import make_row

PRISMA, SUPABASE = StoreName.PRISMA, StoreName.SUPABASE
AT_ONCE = ParityOptions(patience=Patience(grace_s=0, rounds=1))


def key_of(number: int) -> str:
    """Return the same UUID for the same number."""
    return str(uuid.UUID(int=Random(number).getrandbits(128), version=4))


def stores(count: int) -> tuple[MemoryReader, MemoryReader]:
    """Return two stores that hold the same rows."""
    keys = [key_of(n) for n in range(count)]
    return (
        MemoryReader(PRISMA, [make_row(PRISMA, id=k) for k in keys]),
        MemoryReader(SUPABASE, [make_row(SUPABASE, id=k) for k in keys]),
    )


def compared(
    primary: MemoryReader,
    secondary: MemoryReader,
    options: ParityOptions = AT_ONCE,
    sleep: Callable[[float], None] = lambda _: None,
    placing: Placing | None = None,
) -> Parity:
    """Compare two stores."""
    facts = (primary.facts(), secondary.facts())
    return compare(primary, secondary, facts, options=options, placing=placing, sleep=sleep)
