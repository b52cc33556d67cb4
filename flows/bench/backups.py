"""The part of the benchmark about backups: a backup of both stores beside bare dumps of the same schemas."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from contracts.errors import TwinstoreError
from contracts.vocabulary import StoreName
from flows.backup import create_backup
from flows.bench.lines import Bound, Line, Target
from flows.bench.pair import Bench
from flows.bench.rounds import Progress, Sample, in_turns, timed
from flows.bench.works import Measured

CREATE, DUMPS = "backup create", "two bare dumps by pg_dump, one after the other"


def measure_backup(bench: Bench, *, rounds: int, progress: Progress) -> Measured:
    """Measure backups of both stores, and what pg_dump alone takes.

    Raises:
        TwinstoreError: A store failed.
    """
    bench.settle()
    works = {DUMPS: partial(_dump, bench), CREATE: partial(_create, bench)}
    return in_turns(works, rounds=rounds, progress=progress)


def lines_of_backup(measured: Measured, rows: int) -> tuple[Line, ...]:
    """Return what was measured, against the target."""
    ours, bare = measured[CREATE], measured[DUMPS]
    wrong = "" if ours.always("rows", 2 * rows) else "not all rows were backed up"
    return (
        Line(
            work=f"backup of {rows:,} rows in both stores",
            target=Target(bound=Bound.AT_MOST_TIMES, limit=1.3),
            measured=ours.seconds,
            reference=bare.reference(DUMPS),
            wrong=ours.trouble or wrong,
        ),
    )


def _create(bench: Bench) -> Sample:
    """Make a backup, and throw it away."""
    with tempfile.TemporaryDirectory(dir=bench.settings.home) as folder:
        settings = bench.settings.model_copy(update={"backups": Path(folder)})
        try:
            seconds, made = timed(lambda: create_backup(settings, bench.stores, names=[bench.dataset.name]))
        except TwinstoreError as exc:
            return Sample(trouble=exc.what)
        return Sample(seconds=seconds, facts={"rows": sum(side.rows for side in made.sides), "bytes": made.bytes})


def _dump(bench: Bench) -> Sample:
    """Dump both stores, and throw the files away."""
    from storage.backup.contents import schemas_of
    from storage.backup.yardstick import bare_dump

    folder = Path(tempfile.mkdtemp(dir=bench.settings.home))

    def both() -> int:
        return sum(
            bare_dump(dsn, store, schemas_of([bench.dataset], store), folder / f"{store}.dump")
            for store, dsn in zip(StoreName, bench.dsns, strict=True)
        )

    try:
        seconds, size = timed(both)
    except TwinstoreError as exc:
        return Sample(trouble=exc.what)
    finally:
        shutil.rmtree(folder)
    return Sample(seconds=seconds, facts={"bytes": size})
