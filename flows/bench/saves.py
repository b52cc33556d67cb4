"""What applications wait for: writes and reads through the repository, with both stores there and with one gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from contracts.errors import Unavailable
from contracts.health import percentile
from contracts.results import Consistency, DegradationMode, DualStorageResult
from flows.bench.replicated import Replicated
from flows.bench.rounds import Sample, timed
from storage.dual import DualRepository

RECORDS = 100
TRIES = 20  # after so many failed deliveries a circuit that is not open will not open any more

Body = dict[str, Any]


def save_in_vain(stage: Replicated, saves: int) -> Sample:
    """Save to a primary whose secondary never answers, until its circuit is open, and then beside a primary alone.

    Both take turns over the same records, so that whatever else the machine does weighs on both alike.

    Args:
        stage: The pair.
        saves: Number of saves each.
    """
    stage.by_sql.both()[2].drain()
    began = time.perf_counter()
    with closing(stage.alone()) as alone, stage.in_vain() as beside:
        bodies = _bodies(alone)
        until_open, failures = timed(lambda: _until_open(beside, bodies))
        for body in bodies[:10]:
            alone.save(_edited(body, 0))
        seconds, others = _in_turns(alone, beside, bodies, saves)
    refused = all(result.degradation_mode is DegradationMode.SUPABASE_CIRCUIT_OPEN for result in others)
    facts = {
        "failures": float(failures),
        "until_open_s": until_open,
        "alone_ms": milliseconds(seconds[0], 0.99),
        "open_ms": milliseconds(seconds[1], 0.99),
        "alone_median_ms": milliseconds(seconds[0], 0.50),
        "open_median_ms": milliseconds(seconds[1], 0.50),
        "saved": float(refused and all(result.success for result in others)),
    }
    facts["more_ms"] = facts["open_ms"] - facts["alone_ms"]
    return Sample(seconds=time.perf_counter() - began, facts=facts)


def call_repository(stage: Replicated, records: int = RECORDS) -> Sample:
    """Save records to both stores, read and list them, and compare them, one call after the other.

    Args:
        stage: The pair.
        records: Number of records.
    """
    stage.by_sql.both()[2].drain()
    began = time.perf_counter()
    with closing(stage.repository()) as repository:
        bodies = _bodies(repository)[:records]
        keys = [body["id"] for body in bodies]
        owners = [owner for key in keys if (owner := _owner(repository, key)) is not None]
        saved = _each(bodies, lambda body: repository.save(_edited(body, 1)).consistency is Consistency.FULL)
        got = _each(keys, lambda key: repository.find(key).record is not None)
        listed = _each(keys, lambda _: bool(repository.list().records))
        compared = _each(keys, lambda key: repository.check_consistency(key).consistent)
        owned = _each(
            sorted(set(owners))[:10], lambda owner: repository.check_user_consistency(owner).overall_consistent
        )
    facts: dict[str, float] = {}
    named = {"save": saved, "get": got, "list": listed, "record": compared, "owner": owned}
    for name, (seconds, right) in named.items():
        facts[f"{name}_ms"] = milliseconds(seconds, 0.99)
        facts[f"{name}_median_ms"] = milliseconds(seconds, 0.50)
        facts[f"{name}_right"] = float(right)
    return Sample(seconds=time.perf_counter() - began, facts=facts)


def milliseconds(seconds: Sequence[float], share: float) -> float:
    """Return the smallest time that a share of all times does not exceed, in milliseconds.

    Raises:
        ValueError: There is no time.
    """
    found = percentile(sorted(round(each * 1e6) for each in seconds), share)
    if found is None:
        raise ValueError("there is no time")
    return found / 1000


def _until_open(repository: DualRepository, bodies: Sequence[Body]) -> int:
    """Save until the secondary is not tried any more, and return how many saves tried it."""
    for failures, body in enumerate(bodies[:TRIES]):
        if repository.save(_edited(body, 0)).degradation_mode is DegradationMode.SUPABASE_CIRCUIT_OPEN:
            return failures
    return TRIES


def _in_turns(
    alone: DualRepository, beside: DualRepository, bodies: Sequence[Body], saves: int
) -> tuple[tuple[list[float], list[float]], list[DualStorageResult]]:
    """Save every record by both, each of them first every other time; return their times, and what the second said."""
    times: tuple[list[float], list[float]] = ([], [])
    said = []
    for number in range(saves):
        body = bodies[number % len(bodies)]
        for which in (0, 1) if number % 2 else (1, 0):
            edited = _edited(body, 2 * number + which + 1)
            seconds, result = timed(lambda: (alone, beside)[which].save(edited))  # noqa: B023 - called at once
            times[which].append(seconds)
            if which:
                said.append(result)
    return times, said


def _each(items: Sequence[Any], call: Callable[[Any], bool]) -> tuple[list[float], bool]:
    """Call something for each item; return the seconds of each call, and whether all were right."""
    seconds, right = zip(*(timed(lambda: call(item)) for item in items), strict=True)  # noqa: B023 - called at once
    return list(seconds), all(right)


def _bodies(repository: DualRepository) -> list[Body]:
    """Return what some records hold, as an application has read it."""
    records = repository.list(limit=RECORDS).records
    bodies = [dict(record.content) for record in records if record.content is not None]
    if not bodies:
        raise Unavailable("The stores of the benchmark are empty.", "Run it with more rows.")
    return bodies


def _edited(body: Body, number: int) -> Body:
    return body | {"title": f"Save {number} of a benchmark"}


def _owner(repository: DualRepository, key: str) -> str | None:
    record = repository.get(key)
    return None if record is None else record.user_id
