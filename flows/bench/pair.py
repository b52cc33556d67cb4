"""The benchmark's own pairs of stores: started, filled unless they hold exactly what is wanted, vacuumed, stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from contracts.dataset import Dataset
from contracts.registry import contract_for
from contracts.vocabulary import Channel, StoreName
from flows.settings import Settings
from flows.wiring import Stores, find_stores, make_reader
from storage.local.far import Pages, cut_into_pages, far_away
from storage.local.yardsticks import TableFacts, settle
from storage.meter import Meter
from storage.parity.together import together
from storage.ports import Digest, HashKind, Reader
from storage.rest.client import RestAccess

SEED = 11
ENVIRONMENT = "bench"
LATER_S = 3600.0  # what a statement may take: a benchmark measures, it does not give up
LATENCY_S = 0.05  # of every request to the project that is far away
CAP = 1000  # rows that it gives at most, and that a page holds


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
        """Connection strings of primary and secondary."""
        return self.stores.dsns

    def readers(self, ours: Meter | None = None, theirs: Meter | None = None) -> tuple[Reader, Reader]:
        """Return new readers of primary and secondary, counted by these meters."""
        meters = ours or Meter(), theirs or Meter()
        primary, secondary = (
            make_reader(self.settings, self.stores, store, self.dataset, meter)
            for store, meter in zip(StoreName, meters, strict=True)
        )
        return primary, secondary

    def settle(self) -> None:
        """Vacuum and analyse both sides."""
        _settle(self.stores)


@dataclass(frozen=True, slots=True, kw_only=True)
class FarBench:
    """The same pair, its secondary served over REST as by a project far away.

    Attributes:
        by_functions: What twinstore does with its functions there.
        by_rows: What it does with nothing but rows.
        pages: All rows of the secondary, as pages that can be asked for.
    """

    by_functions: Bench
    by_rows: Bench
    pages: Pages


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
        if _loaded(bench) != (rows, *contents(bench)):
            _load(bench)
            bench = Bench(settings=own, stores=stores, dataset=dataset, rows=rows, tables=_settle(stores))
        yield bench
    finally:
        LocalPair(home).down()


@contextmanager
def far(bench: Bench) -> Iterator[FarBench]:
    """Provide the pair of a benchmark as it is reached over REST, every request as late as over a wide network.

    Raises:
        TwinstoreError: The REST service does not start, or the secondary fails.
    """
    with far_away(bench.settings.home, latency_s=LATENCY_S, cap=CAP) as rest:
        access = RestAccess(url=rest.url, key=rest.secret_key.get_secret_value())
        by_functions, by_rows = (
            replace(
                bench,
                settings=bench.settings.model_copy(update={"channel": channel}),
                stores=replace(bench.stores, rest=access),
            )
            for channel in (Channel.RPC, Channel.ROWS)
        )
        pages = cut_into_pages(bench.dsns[1], rest, bench.dataset, rows=CAP)
        yield FarBench(by_functions=by_functions, by_rows=by_rows, pages=pages)


def contents(bench: Bench) -> tuple[Digest, Digest]:
    """Return one digest of all rows per side.

    Raises:
        TwinstoreError: A store fails.
    """
    primary, secondary = bench.readers()
    return together(lambda: _whole(primary), lambda: _whole(secondary))


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
    held = [asdict(digest) for digest in contents(bench)]
    mark.write_text(json.dumps({"rows": bench.rows, "seed": SEED, "contents": held}), encoding="utf-8")


def _loaded(bench: Bench) -> tuple[int, Digest, Digest] | None:
    """Return how many records were loaded last and what both sides held then; None if nobody knows."""
    try:
        mark = json.loads(_mark(bench).read_text(encoding="utf-8"))
        primary, secondary = (Digest(**contents) for contents in mark["contents"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (mark["rows"], primary, secondary) if mark.get("seed") == SEED else None


def _whole(reader: Reader) -> Digest:
    with reader.snapshot(HashKind.RECORD) as snapshot:
        parts = snapshot.digests().values()
    return Digest(sum(d.count for d in parts), sum(d.sum1 for d in parts), sum(d.sum2 for d in parts))


def _mark(bench: Bench) -> Path:
    return bench.settings.home / "records.json"
