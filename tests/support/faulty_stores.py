"""Two adopted stores behind proxies that do to their bytes what networks, poolers and gateways do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import psycopg

from contracts.vocabulary import StoreName
from flows.replicating import Replication, open_replication
from storage.breaker import Breaker, Guard
from storage.dual import DualRepository
from storage.replication import adoption
from tests.support.accounts import superuser_of
from tests.support.checking import job_of, stores_of
from tests.support.faulty_proxy import Plan as HttpPlan
from tests.support.faulty_proxy import faulty_proxy
from tests.support.gateway import Rest, serve
from tests.support.servers import Pair
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

PRISMA, SUPABASE = StoreName
CONNECT_S = 10.0
USUAL_S, IMPATIENT_S = 10.0, 3.0  # limits of a statement; a machine that is busy is no outage
_TONE = "SELECT coalesce(content::jsonb->>'tone', '') FROM public.planning WHERE id::text = %s"


@dataclass(slots=True, kw_only=True)
class FaultyStores:
    """Two adopted stores, each behind a proxy.

    Attributes:
        proxies: What stands before each store.
        http: What a second proxy, which knows HTTP, does to the secondary's answers; unused where it is reached by SQL.
        usual: What carries changes.
        impatient: The same with short limits, for what hangs.
        apps: Connections to the databases themselves.
    """

    proxies: Mapping[StoreName, TcpProxy]
    http: HttpPlan
    usual: Replication
    impatient: Replication
    apps: Mapping[StoreName, psycopg.Connection[tuple[str]]]

    def repository(
        self, *, impatient: bool = False, fast_path_s: float = 5.0, known: Mapping[StoreName, Guard] | None = None
    ) -> DualRepository:
        """Open a repository as `twinstore.open_repository` does, with closed circuits unless some are given."""
        found = self.impatient if impatient else self.usual
        return DualRepository(
            found.primary,
            found.secondary,
            found.relay,
            book=found.book,
            guards=known or guards(),
            fast_path_s=fast_path_s,
        )

    def tones(self, key: str) -> tuple[str | None, str | None]:
        """Return the tone of a record in both stores, as they really hold it; None where there is no such record."""
        found = [self.apps[store].execute(_TONE, [key]).fetchone() for store in StoreName]
        primary, secondary = (None if row is None else row[0] for row in found)
        return primary, secondary

    def drain(self) -> None:
        """Carry everything over, as the relay's own process does."""
        primary, secondary, relay = self.usual.both()
        until = time.monotonic() + 60
        while True:
            relay.drain()
            if not (primary.changes(at_most=1).items or secondary.changes(at_most=1).items):
                return
            assert time.monotonic() < until, "a change is never carried over"
            time.sleep(0.05)  # the server has not noticed yet that a client went away


def guards(clock: Callable[[], float] = time.monotonic) -> dict[StoreName, Guard]:
    """Return a circuit breaker for each store."""
    return {store: Guard(store, Breaker(), clock=clock) for store in StoreName}


@contextmanager
def faulty_stores(pair: Pair, *, rest: bool) -> Iterator[FaultyStores]:
    """Adopt two stores, and reach them through proxies for as long as the context lasts.

    Args:
        pair: Their databases.
        rest: Reach the secondary over REST.
    """
    with ExitStack() as stack:
        http = HttpPlan()
        primary = stack.enter_context(tcp_proxy(pair.primary))
        known: Rest | None = None
        if rest:
            gateway = stack.enter_context(serve(pair.secondary_gate))
            spoilt = stack.enter_context(faulty_proxy(gateway.url, http))
            secondary = stack.enter_context(tcp_proxy(spoilt))
            known = replace(gateway, url=secondary.url(gateway.url))
        else:
            secondary = stack.enter_context(tcp_proxy(pair.secondary))
        seen = replace(pair, primary=primary.url(pair.primary), secondary=secondary.url(pair.secondary))
        usual, impatient = (
            stack.enter_context(
                open_replication(
                    job_of(
                        seen,
                        rest=known,
                        connect_timeout_s=CONNECT_S if limit_s == USUAL_S else 2.0,
                        statement_timeout_s=limit_s,
                    ).settings,
                    stores_of(seen, known),
                    "planning",
                )
            )
            for limit_s in (USUAL_S, IMPATIENT_S)
        )
        ours, theirs, _ = usual.both()
        _, standing = adoption.begin(ours, theirs, usual.book)
        adoption.finish(theirs, usual.book, differing=(), begun=standing)
        apps = {
            store: stack.enter_context(psycopg.connect(superuser_of(pair, store), autocommit=True))
            for store in StoreName
        }
        proxies = {PRISMA: primary, SUPABASE: secondary}
        yield FaultyStores(proxies=proxies, http=http, usual=usual, impatient=impatient, apps=apps)
