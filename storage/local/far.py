"""The secondary as a project far away: its REST service answers late, and how fast it can give rows at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, Unavailable
from contracts.vocabulary import StoreName
from storage.local.gateway.process import GatewayProcess
from storage.local.gateway.service import PREFIX
from storage.local.gateway.settings import load_settings
from storage.local.pair import LocalPair, RestInfo
from storage.pg_errors import translate
from storage.rest.client import CONNECTIONS, PREFER
from storage.rest.filters import Span, ordered, selected

if TYPE_CHECKING:
    import httpx

_STORE = StoreName.SUPABASE
_STARTS = """
    SELECT key::text FROM (SELECT id AS key, row_number() OVER (ORDER BY id) AS place FROM public.planning) AS rows
    WHERE place %% %(rows)s = 0 ORDER BY key
"""
_TIMEOUT_S = 120.0


@contextmanager
def far_away(home: Path, *, latency_s: float, cap: int) -> Iterator[RestInfo]:
    """Let the REST service of a running pair answer like a far project for as long as the block lasts.

    Args:
        home: The folder of the pair.
        latency_s: Time in seconds that every answer is held back.
        cap: Number of rows that it gives at most.

    Raises:
        ConfigurationError: The pair was never served over REST.
        Unavailable: The service does not start anew.
    """
    pair = LocalPair(home)
    near = pair.status().rest
    settings = None if near is None else load_settings(near.folder)
    if near is None or settings is None:
        raise ConfigurationError("The pair was never served over REST.", "Run `twinstore stack up`.")
    usual = settings.options()
    slow = replace(usual, latency_s=latency_s, cap=cap)
    try:
        GatewayProcess(folder=near.folder, options=slow).start(settings.dsn)
        yield pair.status().rest or near
    finally:
        GatewayProcess(folder=near.folder, options=usual).start(settings.dsn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """All rows of the planning table as keyset pages, cut before they are asked for.

    Attributes:
        rest: Where the table is served.
        dataset: The dataset, of which every column is read as text.
        rows: Rows per page.
        starts: The key after which each page begins; None for the first.
    """

    rest: RestInfo
    dataset: Dataset
    rows: int
    starts: tuple[str | None, ...]

    def take(self) -> int:
        """Read all pages, throw them away, and return how many rows they held; as many at a time as twinstore reads.

        Raises:
            Unavailable: A page does not come.
        """
        import httpx

        size = -(-len(self.starts) // CONNECTIONS)
        spans = [self.starts[at : at + size] for at in range(0, len(self.starts), size)]
        key = self.rest.secret_key.get_secret_value()
        headers = {"apikey": key, "Authorization": f"Bearer {key}", "Prefer": PREFER}
        with (
            httpx.Client(base_url=self.rest.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client,
            ThreadPoolExecutor(CONNECTIONS) as pool,
        ):
            return sum(pool.map(lambda span: self._take(client, span), spans))

    def _take(self, client: httpx.Client, span: Sequence[str | None]) -> int:
        return sum(self._page(client, start) for start in span)

    def _page(self, client: httpx.Client, start: str | None) -> int:
        """Read one page, asked for as `storage.rest.table` does, and return how many rows its header names."""
        import httpx

        schema, table = self.dataset.tables[_STORE]
        key = [column.name_in(_STORE) for column in self.dataset.key_columns]
        condition = Span(after=None if start is None else (start,)).condition(key)
        question = {
            "select": selected((column.name, column.name_in(_STORE)) for column in self.dataset.columns),
            "order": ordered(key),
            "limit": str(self.rows),
            **({} if condition is None else {"or": f"({condition})"}),
        }
        try:
            answer = client.get(
                f"{PREFIX}{table}", params=question, headers={"Accept-Profile": schema}
            ).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable("The local REST service gave no page.", f"Look at {self.rest.folder / 'log'}.") from exc
        first, _, last = answer.headers["Content-Range"].partition("/")[0].partition("-")
        return int(last) - int(first) + 1 if last else 0


def cut_into_pages(dsn: str, rest: RestInfo, dataset: Dataset, *, rows: int) -> Pages:
    """Cut the planning table of the secondary into pages, by its keys as they are now.

    Args:
        dsn: Connection string of the secondary.
        rest: Where it is served.
        dataset: The dataset of the table.
        rows: Rows per page.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    import psycopg

    with translate(_STORE), psycopg.connect(dsn) as connection:
        starts = [key for (key,) in connection.execute(_STARTS, {"rows": rows}).fetchall()]
    return Pages(rest=rest, dataset=dataset, rows=rows, starts=(None, *starts))
