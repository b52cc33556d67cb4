"""The pair of stores of a benchmark while it replicates: adopted, reached by SQL and by our functions over REST."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.vocabulary import Channel
from flows.bench.pair import Bench, contents
from flows.replicating import Replication, open_replication
from flows.repository import make_repository
from flows.settings import Settings
from flows.wiring import Stores, find_stores
from storage.dual import DualRepository
from storage.replication import adoption
from storage.rest.client import RestAccess

_HOST = "127.0.0.1"
_QUEUE = 64  # connections that the kernel accepts for somebody who never looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicated:
    """Two stores that replicate.

    Attributes:
        bench: The pair.
        rest: Where its secondary is served over REST.
        by_sql: Carries changes by SQL.
        by_functions: Carries them by our functions over REST.
    """

    bench: Bench
    rest: RestAccess
    by_sql: Replication
    by_functions: Replication

    def repository(self) -> DualRepository:
        """Return a repository over both stores, the secondary over REST, as an application opens it."""
        return _repository(self.bench, replace(self.bench.stores, rest=self.rest))

    def alone(self) -> DualRepository:
        """Return a repository over the primary, without a secondary."""
        own = {store: url for store, url in self.bench.stores.urls.items() if store == self.by_sql.primary.store}
        return _repository(self.bench, replace(self.bench.stores, urls=own, rest=None))

    @contextmanager
    def in_vain(self) -> Iterator[DualRepository]:
        """Provide a repository whose secondary takes every connection and never answers."""
        with black_hole() as url, closing(self._towards(url)) as repository:
            yield repository

    def even(self) -> bool:
        """Carry over what waits, and tell whether both stores hold the same afterwards."""
        self.by_sql.both()[2].drain()
        return self.same()

    def same(self) -> bool:
        """Tell whether both stores hold the same, and nothing waits."""
        status = self.by_sql.both()[2].status()
        waits = sum(side.dirty for side in (status.primary, status.secondary) if side is not None)
        primary, secondary = contents(self.bench)
        return primary == secondary and not waits

    def _towards(self, url: str) -> DualRepository:
        return _repository(self.bench, replace(self.bench.stores, rest=replace(self.rest, url=url)))


@contextmanager
def replicated(bench: Bench, rest: RestAccess | None = None) -> Iterator[Replicated]:
    """Let a pair that holds the same records on both sides replicate for as long as the block lasts.

    Args:
        bench: The pair.
        rest: Where its secondary is served over REST; by the pair's own service unless given.

    Raises:
        ConfigurationError: The records are not the same.
        TwinstoreError: A store fails.
    """
    access = rest or _service(bench.settings)
    with ExitStack() as stack:
        by_sql = stack.enter_context(open_replication(_as_read(bench.settings, Channel.SQL), bench.stores, "planning"))
        over_rest = replace(bench.stores, rest=access)
        settings = _as_read(bench.settings, Channel.RPC)
        by_functions = stack.enter_context(open_replication(settings, over_rest, "planning"))
        made = Replicated(bench=bench, rest=access, by_sql=by_sql, by_functions=by_functions)
        primary, secondary, _ = by_sql.both()
        _, theirs = adoption.begin(primary, secondary, by_sql.book)
        stack.callback(_let_go, by_sql)
        adoption.finish(secondary, by_sql.book, differing=(), begun=theirs)
        if not made.even():
            raise ConfigurationError("The records of the benchmark differ.", "Remove its folder below TWINSTORE_HOME.")
        yield made


@contextmanager
def black_hole() -> Iterator[str]:
    """Yield a URL that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind((_HOST, 0))
        listening.listen(_QUEUE)
        yield f"http://{_HOST}:{listening.getsockname()[1]}"


def _repository(bench: Bench, stores: Stores) -> DualRepository:
    return make_repository(_as_read(bench.settings, Channel.RPC), stores)


def _as_read(settings: Settings, channel: Channel) -> Settings:
    return settings.model_copy(update={"channel": channel})


def _service(settings: Settings) -> RestAccess:
    rest = find_stores(_as_read(settings, Channel.RPC)).rest
    if rest is None:
        raise ConfigurationError("The pair of the benchmark is not served over REST.", "Run `twinstore stack down`.")
    return rest


def _let_go(replication: Replication) -> None:
    """Stop capturing, so that the next benchmark may load its records anew."""
    with suppress(TwinstoreError):
        replication.primary.capture(wanted=False)
    with suppress(TwinstoreError):
        replication.both()[1].capture(wanted=False)
