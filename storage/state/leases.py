"""One lease per dataset: who may check, repair, relay or restore it, so that no two of them do at once.

`docs/locks.md` lists who excludes whom.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update

from contracts.errors import ConfigurationError, Conflict, TwinstoreError
from storage.state.opening import Database
from storage.state.process import Holder, is_dead, this_process
from storage.state.tables import LEASES

KINDS = ("check", "repair", "relay", "restore")
RENEWALS = 4  # per time to live: three may fail before the lease lapses
ASK_AGAIN_S = 0.1
NO_PATIENCE: Mapping[str, float] = MappingProxyType({})

Clock = Callable[[], datetime]
_C = LEASES.c


class Held(Conflict):
    """Somebody else holds the lease.

    Args:
        what: One sentence that says who.
        todo: One sentence that says what to do.
        kind: The kind of work that it is held for.
    """

    def __init__(self, what: str, todo: str, *, kind: str) -> None:
        super().__init__(what, todo)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a process asks for: a dataset, for a kind of work, on behalf of an owner, for a time."""

    dataset_id: int
    dataset: str
    kind: str
    owner: str
    ttl: timedelta
    token: str


class Lease:
    """A lease that is held, and renewed in the background until it is given back."""

    def __init__(self, database: Database, claim: Claim, now: Clock) -> None:
        self._database = database
        self._claim = claim
        self._now = now
        self._expires_at = now() + claim.ttl
        self._taken_over = False
        self._stop = Event()
        self._thread = Thread(target=self._keep, name=f"lease of {claim.dataset}", daemon=True)

    @property
    def held(self) -> bool:
        """True while nobody else can have it: it neither lapsed nor was taken over."""
        return not self._taken_over and self._now() < self._expires_at

    def assert_held(self) -> None:
        """Ask before every step that must not happen beside somebody else's.

        Raises:
            Conflict: The lease lapsed, as after a long sleep of the machine, or was taken over.
        """
        if not self.held:
            raise Conflict(
                f"The lease of {self._claim.dataset} for {self._claim.kind} was lost while it was in use.",
                "Begin again; what was written so far stays.",
            )

    def renew(self) -> None:
        """Extend the lease by its time to live.

        Raises:
            TwinstoreError: The state cannot be written; the lease stays held until it lapses.
        """
        expires_at = self._now() + self._claim.ttl
        with self._database.writing() as connection:
            extend = update(LEASES).where(_ours(self._claim)).values(expires_at=expires_at)
            self._taken_over = connection.execute(extend).rowcount == 0
        self._expires_at = expires_at

    def _keep(self) -> None:
        while not self._stop.wait(self._claim.ttl.total_seconds() / RENEWALS) and not self._taken_over:
            try:
                self.renew()
            except TwinstoreError:
                continue  # the next attempt may succeed; until then `held` counts down

    def _begin(self) -> None:
        self._thread.start()

    def _end(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def hold(
    database: Database, claim: Claim, now: Clock, patience_s: Mapping[str, float] = NO_PATIENCE
) -> Iterator[Lease]:
    """Take the lease, renew it while the block runs, give it back at its end.

    Args:
        database: Where leases are kept.
        claim: What is asked for.
        now: The clock, UTC.
        patience_s: For how many seconds to wait for a holder, by the kind of its work.

    Raises:
        ConfigurationError: There is no such kind of work.
        Held: Somebody else holds it, and goes on holding it.
    """
    if claim.kind not in KINDS:
        raise ConfigurationError(f"There is no lease for {claim.kind!r}.", f"Use one of {', '.join(KINDS)}.")
    began = time.monotonic()
    while True:
        try:
            _take(database, claim, now())
            break
        except Held as held:
            if time.monotonic() - began >= patience_s.get(held.kind, 0.0):
                raise
        time.sleep(ASK_AGAIN_S)
    lease = Lease(database, claim, now)
    lease._begin()  # noqa: SLF001 - the two belong together
    try:
        yield lease
    finally:
        lease._end()  # noqa: SLF001 - likewise
        with database.writing() as connection:
            connection.execute(delete(LEASES).where(_ours(claim)))


def new_token() -> str:
    """Return what tells one holding of a lease from every other."""
    return secrets.token_hex(16)


def _take(database: Database, claim: Claim, now: datetime) -> None:
    here = this_process()
    with database.writing() as connection:
        row = connection.execute(select(LEASES).where(_C.dataset_id == claim.dataset_id)).first()
        if (
            row is not None
            and row.expires_at > now
            and not is_dead(_holder(row), here, one_machine=database.one_machine)
        ):
            raise _conflict(row, claim)
        connection.execute(delete(LEASES).where(_C.dataset_id == claim.dataset_id))
        connection.execute(
            insert(LEASES).values(
                dataset_id=claim.dataset_id,
                kind=claim.kind,
                owner=claim.owner,
                token=claim.token,
                taken_at=now,
                expires_at=now + claim.ttl,
                **asdict(here),
            )
        )


def _ours(claim: Claim) -> ColumnElement[bool]:
    return and_(_C.dataset_id == claim.dataset_id, _C.token == claim.token)


def _holder(row: Row[Any]) -> Holder:
    return Holder(host=row.host, space=row.space, pid=row.pid, born=row.born)


def _conflict(row: Row[Any], claim: Claim) -> Held:
    since = f"{row.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    holder = f"{row.owner}, process {row.pid} on {row.host}"
    return Held(
        f"{claim.kind.capitalize()} of {claim.dataset} cannot begin: {row.kind} by {holder}, holds it since {since}.",
        f"Wait until it has ended; if it died, its lease lapses at {row.expires_at:%H:%M:%S} UTC.",
        kind=row.kind,
    )
