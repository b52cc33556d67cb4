"""The benchmark's own pair of stores: started, filled unless it holds exactly the wanted records, vacuumed, stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.dataset import Dataset
from contracts.registry import contract_for
from contracts.vocabulary import Channel, StoreName
from flows.settings import Settings
from flows.wiring import Stores, find_stores, sql_reader
from storage.local.yardsticks import TableFacts, settle
from storage.meter import Meter
from storage.parity.together import together
from storage.ports import Digest, HashKind
from storage.postgres import PostgresReader

SEED = 11
ENVIRONMENT = "bench"
LATER_S = 3600.0  # what a statement may take: a benchmark measures, it does not give up


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Two stores that hold the same records.

    Attributes:
        settings: Settings that lead to this pair.
        stores: The pair.
        dataset: The dataset that is compared.
        rows: Number of records in each store.
        tables: Size and server of each side, primary first.
    """

    settings: Settings
    stores: Stores
    dataset: Dataset
    rows: int
    tables: tuple[TableFacts, TableFacts]

    @property
    def dsns(self) -> tuple[str, str]:
        """Connection URLs of primary and secondary."""
        return self.stores.urls[StoreName.PRISMA].dsn, self.stores.urls[StoreName.SUPABASE].dsn

    def readers(self) -> tuple[PostgresReader, PostgresReader]:
        """Return new readers of both sides, with meters of their own."""
        primary, secondary = (
            sql_reader(self.settings, self.stores, store, self.dataset, Meter()) for store in StoreName
        )
        return primary, secondary

    def settle(self) -> None:
        """Vacuum and analyse both sides."""
        _settle(self.stores)


@contextmanager
def running(home: Path, settings: Settings, rows: int) -> Iterator[Bench]:
    """Provide a pair below `home` with `rows` records on each side, and stop it at the end.

    Records of an earlier benchmark are used again if both sides hold exactly what was loaded then.

    Raises:
        TwinstoreError: The pair does not start or cannot be filled.
    """
    from storage.local import LocalPair

    own = settings.model_copy(
        update={
            "home": home,
            "environment": ENVIRONMENT,
            "database_url": None,
            "supabase_url": None,
            "supabase_db_url": None,
            "channel": Channel.SQL,
            "state_url": None,
            "statement_timeout_s": LATER_S,
        }
    )
    try:
        stores = find_stores(own)
        dataset = stores.dataset(contract_for("planning").dataset)
        bench = Bench(settings=own, stores=stores, dataset=dataset, rows=rows, tables=_settle(stores))
        if _loaded(bench) != (rows, *_contents(bench)):
            _load(bench)
            bench = Bench(settings=own, stores=stores, dataset=dataset, rows=rows, tables=_settle(stores))
        yield bench
    finally:
        LocalPair(home).down()


def _settle(stores: Stores) -> tuple[TableFacts, TableFacts]:
    primary, secondary = (settle(store, stores.urls[store].dsn) for store in StoreName)
    return primary, secondary


def _load(bench: Bench) -> None:
    from storage.local.seed import clear, load

    mark = _mark(bench)
    mark.unlink(missing_ok=True)
    for memory in bench.settings.home.glob("state.sqlite*"):
        memory.unlink()  # checks of other records would make a trend of these
    clear(*bench.dsns)
    load(*bench.dsns, bench.rows, seed=SEED, now=datetime.now(UTC).replace(microsecond=0))
    contents = [asdict(digest) for digest in _contents(bench)]
    mark.write_text(json.dumps({"rows": bench.rows, "seed": SEED, "contents": contents}), encoding="utf-8")


def _loaded(bench: Bench) -> tuple[int, Digest, Digest] | None:
    """Return how many records were loaded last and what both sides held then; None if nobody knows."""
    try:
        mark = json.loads(_mark(bench).read_text(encoding="utf-8"))
        primary, secondary = (Digest(**contents) for contents in mark["contents"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (mark["rows"], primary, secondary) if mark.get("seed") == SEED else None


def _contents(bench: Bench) -> tuple[Digest, Digest]:
    """Return one digest of all rows per side."""
    primary, secondary = bench.readers()
    return together(lambda: _whole(primary), lambda: _whole(secondary))


def _whole(reader: PostgresReader) -> Digest:
    with reader.snapshot(HashKind.RECORD) as snapshot:
        parts = snapshot.digests().values()
    return Digest(sum(d.count for d in parts), sum(d.sum1 for d in parts), sum(d.sum2 for d in parts))


def _mark(bench: Bench) -> Path:
    return bench.settings.home / "records.json"
