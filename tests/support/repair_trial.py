"""A pair of test databases that is checked, planned for, repaired, verified and taken back, without commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.planning import PLANNING
from contracts.repair import Done, Mode, Plan, Verified
from contracts.repair.plan import Texts
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Channel, CheckStatus, StoreName
from flows.replicating import open_replication
from storage.ports import HashKind
from storage.repair.applying import apply
from storage.repair.doors import DoorSide
from storage.repair.journal import Journal
from storage.repair.plan_file import read_plan, write_plan
from storage.repair.planning import Failing, Found, Wanted, make_plan
from storage.repair.ports import RepairSide
from storage.repair.undoing import undo_steps
from storage.repair.verifying import verify
from tests.support.checking import check, job_of, stores_of
from tests.support.gateway import Rest
from tests.support.repair_plans import COLUMNS, MADE, make_header
from tests.support.servers import Pair

RUNS = 2  # that saw every difference

Records = dict[StoreName, dict[str, Texts]]
"""Every row of both stores, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A pair under repair.

    Attributes:
        pair: Its databases.
        rest: The secondary over REST; None where it is reached by SQL.
        sides: Both stores, as repair uses them.
        suite: What the suites say of clean stores.
        folder: Where plans and journals go.
    """

    pair: Pair
    rest: Rest | None
    sides: Mapping[StoreName, RepairSide]
    suite: tuple[CheckResult, ...]
    folder: Path

    def check(self) -> DatasetReport:
        """Check both stores."""
        return check(job_of(self.pair, rest=self.rest), suite=self.suite)

    def plan(self, report: DatasetReport, wanted: Wanted, **rest: Any) -> Plan:
        """Plan for what a check found, write the plan to its file, and return what the file says."""
        found = [
            Found(
                key=one.key,
                kind=one.kind,
                runs_seen=RUNS,
                place=one.place,
                causes=tuple(str(e.cause) for e in one.explanations),
            )
            for one in report.differences
        ]
        failing = [
            Failing(check=one.id, store=one.store, rows=one.failing_rows)
            for one in report.checks
            if one.status is CheckStatus.FAILED
        ]
        rows = {StoreName.PRISMA: report.rows.primary, StoreName.SUPABASE: report.rows.secondary}
        plan = make_plan(
            PLANNING,
            wanted,
            found,
            self.sides,
            header=make_header(rows=rows),
            excluded=self.excluded(),
            failing=failing,
            **rest,
        )
        folder = self.folder / f"plan-{len(list(self.folder.iterdir()))}"
        digest = write_plan(plan, folder)
        known, read = read_plan(folder / "plan.json")
        assert (known, read) == (plan, digest)
        return known

    def excluded(self) -> list[str]:
        """Return the keys of the primary that the secondary cannot hold."""
        job = job_of(self.pair, rest=self.rest)
        with closing(job), job.reader(StoreName.PRISMA).snapshot(HashKind.TEXT) as snapshot:
            return snapshot.excluded(10_000)

    def carry_out(self, plan: Plan) -> tuple[dict[int, Done], Verified]:
        """Take all steps of a plan, and read both stores again."""
        folder = self.folder / f"journal-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        journal = Journal.open(folder)
        journal.begin(plan_hash="tested", by="a test", overrides=(), now=MADE)
        apply(plan, self.sides, journal, columns=COLUMNS, progress=lambda _: None, may_go_on=lambda: None)
        return journal.done, verify(plan, journal.done, self.sides, PLANNING)

    def take_back(self, plan: Plan, done: Mapping[int, Done]) -> tuple[Plan, dict[int, Done]]:
        """Undo what a plan did; return the plan that did it, and what became of its steps."""
        header = make_header(mode=Mode.UNDO, source=None, undoes=plan.header.id)
        undo = undo_steps(plan, done, self.sides, header=header)
        taken, _ = self.carry_out(undo)
        return undo, taken

    def records(self) -> Records:
        """Read every row of both stores."""
        found: Records = {}
        for store in StoreName:
            job = job_of(self.pair, rest=self.rest)
            with closing(job), job.reader(store).snapshot(HashKind.TEXT) as snapshot:
                found[store] = {row["id"]: row for batch in snapshot.batches() for row in batch.to_pylist()}
        return found


@contextmanager
def trying(pair: Pair, suite: tuple[CheckResult, ...], folder: Path, *, rest: Rest | None = None) -> Iterator[Trial]:
    """Open a pair for repair, for as long as the context lasts."""
    settings = job_of(pair, rest=rest).settings
    with open_replication(settings, stores_of(pair, rest), "planning") as replication:
        primary, secondary, _ = replication.both()
        sides = {StoreName.PRISMA: DoorSide(primary), StoreName.SUPABASE: DoorSide(secondary)}
        assert replication.channel is (Channel.SQL if rest is None else Channel.RPC)
        yield Trial(pair=pair, rest=rest, sides=sides, suite=suite, folder=folder)
