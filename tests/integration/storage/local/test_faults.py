"""Every fault of the catalogue can be planted on real servers, and changes its victims as it says and nothing else.

The rows are compared here by a few plain lines of Python, so that the catalogue is not judged by what it is to judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING, STATUS_ALIASES
from contracts.vocabulary import DifferenceKind, StoreName
from storage.local import seed
from storage.local.faults import DECOYS, FAULTS, PAIRS, Fault, Injected, fault, inject, victims
from tests.support.servers import Pair

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = tuple(column.name for column in PLANNING.columns)
JSON_COLUMNS = {"content", "metadata", "storage"}
TIMES = {"created_at", "updated_at"}
TOGETHER = [one for one in (*FAULTS, *DECOYS, *PAIRS) if not one.exclusive]
Rows = dict[str, dict[str, Any]]

GUARDS = """
    SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = 'public.planning'::regclass
    UNION ALL SELECT conname::text, replace(pg_get_constraintdef(oid), ' NOT VALID', '') FROM pg_constraint
    WHERE conrelid = 'public.planning'::regclass ORDER BY 1, 2
"""


def read(dsn: str) -> Rows:
    """Return every row of a store by its key, values as text."""
    columns = ", ".join(f"{name}::text" for name in COLUMNS)
    with psycopg.connect(dsn, options="-c TimeZone=UTC") as connection:
        found = connection.execute(f"SELECT {columns} FROM public.planning".encode()).fetchall()
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in found}


def both(pair: Pair) -> dict[StoreName, Rows]:
    """Return the rows of both stores."""
    return {StoreName.PRISMA: read(pair.primary), StoreName.SUPABASE: read(pair.secondary)}


def guards(pair: Pair) -> list[tuple[Any, ...]]:
    """Return the secondary's triggers and constraints."""
    with psycopg.connect(pair.secondary) as connection:
        return connection.execute(GUARDS.encode()).fetchall()


def canonical(column: str, text: str) -> Any:
    """Return a value as it is compared: JSON by value, times to the millisecond, a status by its canonical word."""
    if column in JSON_COLUMNS:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal)
    if column in TIMES:
        instant = datetime.fromisoformat(text)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
        microseconds = (instant - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return (microseconds + 500) // 1000
    return str(STATUS_ALIASES.get(text, text)) if column == "status" else text


def disagreements(one: Any, other: Any, path: str) -> Iterator[str]:
    """Yield the paths at which two JSON values differ."""
    missing = object()
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from disagreements(one.get(key, missing), other.get(key, missing), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        for at in range(max(len(one), len(other))):
            pair = [values[at] if at < len(values) else missing for values in (one, other)]
            yield from disagreements(pair[0], pair[1], f"{path}.{at}")
    elif type(one) is not type(other) or one != other:
        yield path


def found(primary: dict[str, Any] | None, secondary: dict[str, Any] | None) -> tuple[DifferenceKind | None, set[str]]:
    """Return how the two rows of one key differ, and in which fields."""
    if primary is None or secondary is None:
        sides = (DifferenceKind.ONLY_PRIMARY if primary else None, DifferenceKind.ONLY_SECONDARY if secondary else None)
        return sides[0] or sides[1], set()
    fields: set[str] = set()
    for column in COLUMNS:
        one, other = primary[column], secondary[column]
        if None in (one, other):
            fields |= {column} if one != other else set()
        else:
            fields |= set(disagreements(canonical(column, one), canonical(column, other), column))
    return (DifferenceKind.DIFFERING if fields else None), fields


def surprises(injected: Injected, before: Rows, after: dict[StoreName, Rows]) -> Iterator[str]:
    """Yield what one planted fault did otherwise than it says."""
    expects = injected.fault.expects
    name = injected.fault.id
    for key in injected.keys:
        primary, secondary = (after[store].get(key) for store in StoreName)
        kind, fields = found(primary, secondary)
        expected = (expects.kind, expects.fields) if key in injected.found else (None, set())
        if (kind, fields) != expected:
            yield f"{name}: found {kind} {sorted(fields)}"
        if key in injected.found and primary == secondary == before[key]:
            yield f"{name}: changed nothing"
        if expects.representation and primary and secondary:
            written = [
                {**row, **{time: str(row[time]).removesuffix("+00") for time in TIMES}} for row in (primary, secondary)
            ]
            if written[0] == written[1]:
                yield f"{name}: written in the same way"


@pytest.fixture
def loaded(pair: Pair) -> Pair:
    """Two stores with five thousand equal records."""
    seed.load(pair.primary, pair.secondary, 5000, now=NOW)
    return pair


def test_the_whole_catalogue_does_what_it_says_and_nothing_else(loaded: Pair) -> None:
    """All faults, decoys and pairs at once: each on rows of its own, each as expected, no other row touched."""
    before, guarded = both(loaded), guards(loaded)
    planted = inject(loaded.primary, loaded.secondary, TOGETHER)
    after = both(loaded)

    taken = [key for injected in planted for key in injected.keys]
    assert len(set(taken)) == len(taken) == sum(one.rows for one in TOGETHER)
    assert [surprise for injected in planted for surprise in surprises(injected, before[StoreName.PRISMA], after)] == []
    for store in StoreName:
        untouched = before[store].keys() - set(taken)
        assert all(after[store][key] == before[store][key] for key in untouched)
    new = {store: after[store].keys() - before[store].keys() for store in StoreName}
    assert len(new[StoreName.PRISMA]) == sum(one.expects.excluded for one in TOGETHER)
    assert not new[StoreName.SUPABASE]
    assert guards(loaded) == guarded


def test_victims_are_the_same_for_the_same_rows(seeded_pair: Pair) -> None:
    """Choosing is deterministic, another seed chooses otherwise, and rows that are taken are left alone."""
    one = fault("content_double_encoded_prisma")
    first = victims(seeded_pair.primary, one)
    assert first == victims(seeded_pair.primary, one)
    assert len(first) == one.rows
    assert first != victims(seeded_pair.primary, one, seed=2)
    assert not set(first) & set(victims(seeded_pair.primary, one, first))


def test_any_single_fault_fits_into_300_records(seeded_pair: Pair) -> None:
    """Even a small pair of stores holds enough rows of every kind for every fault."""
    for one in (*FAULTS, *DECOYS, *PAIRS):
        keys = victims(seeded_pair.primary, one)
        assert len(keys) == (300 if one.exclusive else one.rows), one.id


def test_too_few_rows_are_refused_and_nothing_is_planted(pair: Pair) -> None:
    """A store without rows of the kind says which fault needs how many, and stays as it is."""
    seed.load(pair.primary, pair.secondary, 5, now=NOW)
    before = both(pair)
    with pytest.raises(ConfigurationError, match="window_lost_supabase needs 14 rows"):
        inject(pair.primary, pair.secondary, [fault("row_missing_supabase"), fault("window_lost_supabase")])
    assert both(pair) == before


def test_guards_hold_again_afterwards(seeded_pair: Pair) -> None:
    """After a fault that supabase would refuse, supabase refuses the next write of that kind, and its triggers fire."""
    inject(seeded_pair.primary, seeded_pair.secondary, [fault("status_unknown_supabase")])
    with psycopg.connect(seeded_pair.secondary) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE public.planning SET status = 'somewhere'")
    with psycopg.connect(seeded_pair.secondary) as connection:
        touched = connection.execute(
            "UPDATE public.planning SET source = 'again' "
            "WHERE id = (SELECT id FROM public.planning WHERE status = 'draft' LIMIT 1) "
            "RETURNING updated_at > now() - interval '1 minute'"
        ).fetchone()
    assert touched == (True,)


@pytest.mark.parametrize("name", ["secondary_empty", "primary_empty"])
def test_an_empty_side(seeded_pair: Pair, name: str) -> None:
    """The fault takes every key and empties one store only."""
    empty, full = both(seeded_pair), both(seeded_pair)
    (injected,) = inject(seeded_pair.primary, seeded_pair.secondary, [fault(name)])
    store = fault(name).expects.at_fault
    assert store is not None
    empty[store] = {}
    assert both(seeded_pair) == empty
    assert set(injected.found) == full[StoreName.PRISMA].keys()


def test_a_side_that_is_nearly_empty(seeded_pair: Pair) -> None:
    """One row remains, and no hour of the others holds ten of them."""
    (injected,) = inject(seeded_pair.primary, seeded_pair.secondary, [fault("decoy_side_empty")])
    after = both(seeded_pair)
    (survivor,) = after[StoreName.SUPABASE]
    assert (survivor,) == injected.keys[-1:]
    assert found(after[StoreName.PRISMA][survivor], after[StoreName.SUPABASE][survivor]) == (None, set())
    created = sorted(canonical("created_at", row["created_at"]) for row in after[StoreName.PRISMA].values())
    assert all(later - earlier > 3_600_000 for earlier, later in zip(created, created[9:], strict=False))


def test_a_fault_of_the_whole_table_is_planted_alone(seeded_pair: Pair) -> None:
    """Together with another fault it is refused."""
    with pytest.raises(ConfigurationError, match="alone"):
        inject(seeded_pair.primary, seeded_pair.secondary, [fault("secondary_empty"), fault("title_case_supabase")])


def test_windows_hold_all_rows_of_their_interval(loaded: Pair) -> None:
    """What a lost window deletes are all rows that the other store has in that interval, within an hour."""
    windows: list[Fault] = [fault("window_lost_supabase"), fault("window_lost_prisma")]
    for injected in inject(loaded.primary, loaded.secondary, windows):
        holder = injected.fault.expects.at_fault.other if injected.fault.expects.at_fault else None
        assert holder is not None
        rows = both(loaded)[holder]
        times = {key: canonical("created_at", row["created_at"]) for key, row in rows.items()}
        low, high = (pick(times[key] for key in injected.keys) for pick in (min, max))
        assert {key for key, time in times.items() if low <= time <= high} == set(injected.keys)
        assert high - low <= 3_600_000
