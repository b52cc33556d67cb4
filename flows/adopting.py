"""Take over two stores that were there before: capture, compare, and let the relay begin, or say why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import Conflict
from contracts.judgement import judge_checks
from contracts.replication import Gap, Standing
from contracts.verdicts import DatasetReport, RowTotals
from contracts.vocabulary import StoreName, Verdict
from flows.check import Conductor, run_check
from flows.opening import Opened
from flows.replicating import Replication
from flows.wiring import make_meter, make_reader

if TYPE_CHECKING:
    from storage.replication.book import Book

MOST_KEYS = 1_000
MOST_SHARE = 0.1
"""More differing keys than both look like a mistake: a wrong URL, a restore under way, a table cut short."""
LEAST_SHARE = 0.5  # a side with fewer rows than this share of the other looks cut short
LEAST_MISSING = 10
KEYS_AT_ONCE = 1_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why stores are not adopted.

    Attributes:
        what: One sentence.
        todo: What to do about it.
        exit_code: 1 when a person has to look at them, 2 when nothing could be told.
    """

    what: str
    todo: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What became of an adoption.

    Attributes:
        dataset: The dataset.
        rows: Where the rows went in the comparison.
        differences: Number of keys on which the stores differed.
        conflicts: How many of them were kept as conflicts.
        filled: How many rows will be carried into an empty secondary.
        report: The report of the comparison.
        refusal: Why it was not finished; None when it was.
    """

    dataset: str
    rows: RowTotals
    differences: int
    conflicts: int = 0
    filled: int = 0
    report: Path
    refusal: Refusal | None = None


def adopt(
    work: Opened,
    replication: Replication,
    conductor: Conductor,
    *,
    accepted: int,
    progress: Progress = lambda _: None,
) -> Adoption:
    """Capture the writes of both sides, compare all rows, and let the relay begin.

    Interrupted at any point, nothing is carried over, and it can be done again.

    Args:
        work: What the command works with.
        replication: The replication of the dataset.
        conductor: Runs the stages of the comparison.
        accepted: Number of differing keys that are accepted, many as they may be.
        progress: Is told what happens now.

    Raises:
        TwinstoreError: A store cannot be reached, or something happened to capture meanwhile.
    """
    from storage.replication import adoption

    name = replication.dataset.name
    primary, secondary, relay = replication.both()
    progress(f"capture the writes of {name} on both sides")
    before = adoption.begin(primary, secondary, replication.book)
    finished = run_check(
        work.settings,
        work.stores,
        conductor,
        datasets=[name],
        owner="twinstore adopt",
        adopting=True,
        progress=progress,
    )
    report, folder = finished.report.datasets[0], finished.folder
    result = Adoption(dataset=name, rows=report.rows, differences=report.differences_total, report=folder)
    if why := refusal(report, accepted=accepted):
        return replace(result, refusal=why)
    status = relay.status()
    for side, now in zip(before, (status.primary, status.secondary), strict=True):
        _require_same(side, now)
    filled, keys = 0, [difference.key for difference in report.differences]
    if not report.rows.secondary and report.rows.primary:
        filled, keys = _fill(work, replication, replication.book, progress), []
    elif not report.rows.primary and report.rows.secondary:
        keys = list(_keys(work, replication, StoreName.SUPABASE))
    conflicts = adoption.finish(
        secondary,
        replication.book,
        differing=keys,
        begun=before[1],
        progress=lambda number: progress(f"keep what differs: {number:,} keys looked at"),
    )
    return replace(result, conflicts=conflicts, filled=filled)


def refusal(report: DatasetReport, *, accepted: int) -> Refusal | None:
    """Return why stores that compare like this are not adopted; None when they are. Contracts do not matter here."""
    moving = report.rows.deferred + report.rows.pending
    if moving:  # which makes the comparison an incomplete one, too
        return Refusal(
            what=f"{moving:,} rows went on changing while they were compared.",
            todo="Run `twinstore adopt` again when less is written.",
            exit_code=Verdict.INCOMPLETE.exit_code,
        )
    of_checks = judge_checks(report.checks, {})
    blind = [r for r in report.reasons if r.verdict in (Verdict.ERRORED, Verdict.INCOMPLETE) and r not in of_checks]
    if blind:
        return Refusal(
            what=f"The comparison could not look everywhere: {blind[0].text.rstrip('.')}.",
            todo="Mend that, then run `twinstore adopt` again.",
            exit_code=Verdict.ERRORED.exit_code,
        )
    doubt = _doubt(report)
    if doubt and accepted < report.differences_total:
        return Refusal(
            what=f"{doubt}; {report.differences_total:,} keys differ.",
            todo=f"Look at the report. If that is how it must be, say --accept-differences {report.differences_total}.",
            exit_code=1,
        )
    one_is_empty = not report.rows.primary or not report.rows.secondary
    if not one_is_empty and len(report.differences) < report.differences_total:
        return Refusal(
            what=f"Only {len(report.differences):,} of {report.differences_total:,} differences are listed.",
            todo="Raise TWINSTORE_ROW_BUDGET, then run `twinstore adopt` again.",
            exit_code=Verdict.INCOMPLETE.exit_code,
        )
    return None


def _doubt(report: DatasetReport) -> str:
    """Return what makes the stores look like a mistake; empty when nothing does."""
    rows = {StoreName.PRISMA: report.rows.primary, StoreName.SUPABASE: report.rows.secondary}
    fewer = min(rows, key=lambda store: rows[store])
    less, more = rows[fewer], rows[fewer.other]
    if more and not less:
        return f"{fewer} is empty, while {fewer.other} holds {more:,} rows"
    if less < more * LEAST_SHARE and more - less >= LEAST_MISSING:
        return f"{fewer} looks cut short: it holds {less:,} rows, {fewer.other} {more:,}"
    if report.differences_total > max(MOST_KEYS, MOST_SHARE * more):
        return f"More than {MOST_SHARE:.0%} of the keys differ"
    return ""


def _require_same(before: Standing, now: Standing | None) -> None:
    """Refuse when capture is not the one under which the stores were compared.

    Raises:
        Conflict: It has a gap, or was turned on anew, or another adoption began.
    """
    if now is not None and now.store is StoreName.SUPABASE and now.adoption != before.adoption:
        raise Conflict(
            "Another adoption began while the stores were compared.",
            "Wait until it has ended, and see `twinstore sync status`.",
            store=before.store,
        )
    if now is None or now.gap not in (None, Gap.OTHER_ADOPTION) or now.since != before.since:  # an older one has ended
        raise Conflict(
            f"Writes to {before.store} may have passed by while the stores were compared.",
            "Nothing is carried over yet. Run `twinstore adopt` again.",
            store=before.store,
        )


def _fill(work: Opened, replication: Replication, book: Book, progress: Progress) -> int:
    """Count every row of the primary as written now, so that the relay carries all of them over; return how many."""
    from storage.chunks import chunks

    number = 0
    for some in chunks(_keys(work, replication, StoreName.PRISMA), KEYS_AT_ONCE):
        book.touch(some)
        number += len(some)
        progress(f"mark what is carried over: {number:,} keys")
    return number


def _keys(work: Opened, replication: Replication, store: StoreName) -> Iterator[str]:
    """Yield the key of every row of a store that both can hold."""
    from storage.parity.ranges import RANGES
    from storage.ports import HashKind

    reader = make_reader(work.settings, work.stores, store, replication.dataset, make_meter(work.settings))
    with closing(reader), reader.snapshot(HashKind.TEXT) as snapshot:
        yield from (pair.key for pair in snapshot.pairs(range(RANGES)))
