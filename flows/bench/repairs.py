"""The part of the benchmark about repair: a plan that writes every record of the secondary anew, carried out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contracts.errors import TwinstoreError
from contracts.repair import Header, Mended, Mode, Plan
from contracts.vocabulary import Channel, DifferenceKind, StoreName
from flows.bench.lines import Bound, Line, Reference, Target
from flows.bench.pair import Bench, contents
from flows.bench.rounds import Progress, Sample, in_turns, timed
from flows.bench.works import Measured
from flows.check import make_run_id
from flows.replicating import Replication, open_replication
from flows.wiring import find_stores, home
from storage.rest.client import RestAccess

if TYPE_CHECKING:
    from storage.repair.ports import RepairSide

ROWS: Final = 10_000  # records of the pair, at most: all of them are written in every round
BY_FUNCTIONS, BY_SQL = "repair apply, REST with RPC", "repair apply, SQL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The pair, as it is repaired over one channel.

    Attributes:
        bench: The pair.
        replication: Reaches its functions.
    """

    bench: Bench
    replication: Replication


def measure_repair(bench: Bench, *, rounds: int, progress: Progress, rest: RestAccess | None = None) -> Measured:
    """Measure how fast a plan is carried out over each channel.

    Args:
        bench: The pair.
        rounds: How often everything is measured after the warm-up; none measures the warm-up.
        progress: Is told what happens now.
        rest: Where the secondary is served over REST; by the pair's own service unless given.

    Raises:
        TwinstoreError: A store failed.
    """
    with _reached(bench, Channel.SQL, None) as by_sql, _reached(bench, Channel.RPC, rest) as by_functions:
        works = {BY_SQL: partial(_repair, by_sql), BY_FUNCTIONS: partial(_repair, by_functions)}
        return in_turns(works, rounds=rounds, progress=progress)


def lines_of_repair(measured: Measured, rows: int) -> tuple[Line, ...]:
    """Return what was measured, against the target."""
    by_sql, by_functions = measured[BY_SQL], measured[BY_FUNCTIONS]
    wrong = [
        f"not every row was written, {name}"
        for name, series in ((BY_SQL, by_sql), (BY_FUNCTIONS, by_functions))
        if not series.trouble and not (series.always("written", rows) and series.always("same", 1.0))
    ]
    return (
        Line(
            work=f"repair of {rows:,} rows, SQL",
            target=Target(bound=Bound.AT_LEAST, limit=3000),
            measured=by_sql.fact("per_s"),
            unit="rows/s",
            reference=Reference(name="the same by REST with RPC", value=by_functions.fact("per_s")),
            wrong=by_sql.trouble or by_functions.trouble or "; ".join(wrong),
        ),
    )


@contextmanager
def _reached(bench: Bench, channel: Channel, rest: RestAccess | None) -> Iterator[Repaired]:
    settings = bench.settings.model_copy(update={"channel": channel})
    stores = bench.stores
    if channel is Channel.RPC:
        stores = replace(stores, rest=rest or find_stores(settings).rest)
    with open_replication(settings, stores, bench.dataset.name) as replication:
        yield Repaired(bench=bench, replication=replication)


def _repair(stage: Repaired) -> Sample:
    """Spoil every record of the secondary, plan to write all of them, and carry that out; the clock sees the last."""
    from storage.local.writers import spoil
    from storage.repair.applying import apply
    from storage.repair.doors import DoorSide
    from storage.repair.journal import Journal

    primary, secondary, _ = stage.replication.both()
    sides: dict[StoreName, RepairSide] = {
        StoreName.PRISMA: DoorSide(primary),
        StoreName.SUPABASE: DoorSide(secondary),
    }
    try:
        plan = _plan(stage.bench, sides, spoil(stage.bench.dsns[1]))
        stage.bench.settle()
        with tempfile.TemporaryDirectory(dir=home(stage.bench.settings)) as folder:
            journal = Journal.open(Path(folder))
            journal.begin(plan_hash="", by="the benchmark", overrides=(), now=plan.header.made_at)
            seconds, _ = timed(
                partial(
                    apply,
                    plan,
                    sides,
                    journal,
                    columns=plan.header.columns,
                    progress=lambda _: None,
                    may_go_on=lambda: None,
                )
            )
            written = sum(done.outcome is Mended.WRITTEN for done in journal.done.values())
        ours, theirs = contents(stage.bench)
    except TwinstoreError as exc:
        return Sample(trouble=exc.what)
    return Sample(
        seconds=seconds,
        facts={"written": float(written), "per_s": written / seconds, "same": float(ours == theirs)},
    )


def _plan(bench: Bench, sides: Mapping[StoreName, RepairSide], keys: Sequence[str]) -> Plan:
    from storage.repair.planning import make_plan
    from storage.repair.wanted import Found, Wanted

    now = datetime.now(UTC)
    header = Header(
        id=make_run_id(now),
        dataset=bench.dataset.name,
        environment=bench.stores.environment,
        made_at=now,
        expires_at=now + timedelta(hours=1),
        mode=Mode.SOURCE_OF_TRUTH,
        source=StoreName.PRISMA,
        run_id=None,
        identities=dict.fromkeys(StoreName, ""),
        channels=dict.fromkeys(StoreName, Channel.SQL),
        rows=dict.fromkeys(StoreName, bench.rows),
        columns=tuple(column.name for column in bench.dataset.columns),
    )
    wanted = Wanted(mode=Mode.SOURCE_OF_TRUTH, source=StoreName.PRISMA)
    found = [Found(key=key, kind=DifferenceKind.DIFFERING) for key in keys]
    return make_plan(bench.dataset, wanted, found, sides, header=header)
