"""One case of the table of faults, carried out: before, under the fault, afterwards."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from contracts.errors import Unavailable
from contracts.results import Consistency, DegradationMode, DualStorageResult, StoreResult
from contracts.vocabulary import StoreName
from storage.dual import DualRepository
from tests.support.dual import new_id, scenario
from tests.support.fault_table import PRISMA, SUPABASE, VERBS, At, Case, Place, Sees, Way
from tests.support.faulty_proxy import Fault as HttpFault
from tests.support.faulty_stores import FaultyStores
from tests.support.tcp_proxy import Fault, Plan

NEVER_S = 30.0  # far more than all limits together: a call that takes as long hangs


class Trial:
    """One case, carried out: before, under the fault, afterwards."""

    def __init__(self, stores: FaultyStores, case: Case) -> None:
        self.stores = stores
        self.case = case
        self.repository = stores.repository(impatient=case.row.hangs)
        self.owner = new_id()
        self.body = scenario(tone="Tense")
        self.key = self.body["id"]
        self.old = None if case.verb == "save" else "Tense"
        self.new = {"save": "Tense", "update": "Calm"}.get(case.verb)
        self.request = uuid.uuid4().hex

    def run(self) -> None:
        """Carry it out."""
        self._prepare()
        started = time.monotonic()
        with self._suffering():
            result = self._written() if self.case.verb in VERBS else self._read()
        assert time.monotonic() - started < NEVER_S
        if result is not None:
            self._agree_afterwards(result)

    def _prepare(self) -> None:
        """Write the record on both stores, so that connections are there, and that both were asked for a gap."""
        if self.old is not None:
            made = self.stores.repository().save(self.body, user_id=self.owner)
            assert made.consistency is Consistency.FULL, made.error
        for doors in (self.repository._primary, self.repository._secondary):
            assert doors is not None
            for _ in range(4):  # with short limits a machine that stands still is one that cannot be reached
                with suppress(Unavailable):
                    doors.look([self.key], deadline_s=5.0)
                    break
        if self.case.verb in VERBS:
            assert self.repository.save(scenario(), user_id=new_id()).success

    @contextmanager
    def _suffering(self) -> Iterator[None]:
        case, http = self.case, self.stores.http
        proxy = self.stores.proxies[case.store]
        with ExitStack() as stack:
            if case.place is Place.INSTEAD:
                stack.enter_context(self.stores.proxies[PRISMA].suffering(Plan(fault=Fault.REFUSED)))
            if isinstance(case.row.fault, HttpFault):
                looks_first = case.row.at is At.WRITE and case.place is Place.INSTEAD
                http.fault, http.first = case.row.fault, http.requests + looks_first
                stack.callback(setattr, http, "fault", None)
            else:
                stack.enter_context(proxy.suffering(self._plan(case.row.fault)))
            yield

    def _plan(self, fault: Fault) -> Plan:
        row = self.case.row
        door = b"planning_apply" if self.case.place is Place.BESIDE else b"planning_put"
        if row.at is At.CALL:
            words = (b"planning_",) if fault is Fault.RESET_MIDWAY else ()
            return Plan(fault=fault, after=words, delay_s=row.slow_s)
        committing = row.at is At.COMMIT and self.case.way is Way.SQL
        return Plan(fault=fault, after=(door, b"COMMIT") if committing else (door,), times=1, then=row.then)

    # Reads

    def _read(self) -> DualStorageResult | None:
        case = self.case
        if case.sees is Sees.RAISED:
            pattern = f"Both storage systems are unavailable.*prisma cannot be reached.*({case.says})"
            with pytest.raises(Unavailable, match=pattern):
                self._find() if case.verb == "get" else self._page()
        elif case.verb == "get":
            self._found()
        else:
            self._listed()
        return None

    def _find(self, key: str | None = None) -> Any:
        return self.repository.find(key or self.key)

    def _page(self) -> Any:
        return self.repository.list(user_id=self.owner)

    def _found(self) -> None:
        sees, reading = self.case.sees, self._find()
        assert reading.record is not None
        assert reading.record.content["tone"] == "Tense"
        assert reading.record.store == (SUPABASE if sees is Sees.FALLBACK else PRISMA)
        assert reading.degradation_mode is DegradationMode.NONE
        assert reading.complete is (sees is not Sees.FALLBACK)
        if sees is Sees.FALLBACK:
            self._blamed(reading.details.of(self._blame))
        elif sees is Sees.LACKING:
            absent = self._find(new_id())
            assert (absent.record, absent.complete) == (None, False)
            self._blamed(absent.details.supabase)

    def _listed(self) -> None:
        sees, page = self.case.sees, self._page()
        store = SUPABASE if sees is Sees.FALLBACK else PRISMA
        assert [(record.id, record.store) for record in page.records] == [(self.key, store)]
        assert page.complete is (sees is Sees.SERVED)
        assert page.degradation_mode is DegradationMode.NONE
        if sees is not Sees.SERVED:
            self._blamed(page.details.of(self._blame))

    @property
    def _blame(self) -> StoreName:
        """The store whose error the caller sees."""
        return PRISMA if self.case.place is not Place.BESIDE else SUPABASE

    def _blamed(self, result: StoreResult) -> None:
        away = self.case.place is Place.INSTEAD and self._blame is PRISMA
        assert (result.attempted, result.success) == (True, False)
        assert re.search(r"cannot be reached" if away else self.case.says, result.error or "")

    # Writes

    def _write(self, repository: DualRepository) -> DualStorageResult:
        if self.case.verb == "save":
            return repository.save(self.body, user_id=self.owner, idempotency_key=self.request)
        if self.case.verb == "update":
            return repository.update(self.key, {"tone": "Calm"}, idempotency_key=self.request)
        return repository.delete(self.key, idempotency_key=self.request)

    def _written(self) -> DualStorageResult:
        case, result = self.case, self._write(self.repository)
        sees = case.sees
        succeeded = sees not in (Sees.FAILED, Sees.UNKNOWN)
        assert result.success is succeeded, result.error
        assert result.outcome == (VERBS[case.verb] if succeeded else str(sees))
        kind = {Sees.FULL: Consistency.FULL}.get(sees, Consistency.PARTIAL) if succeeded else Consistency.FAILED
        assert (result.consistency, result.degradation_mode) == (kind, DegradationMode.NONE)
        assert result.repeated is False
        assert result.details is not None
        primary, secondary = result.details.prisma, result.details.supabase
        assert (primary.attempted, secondary.attempted) == (True, True)
        assert (result.prisma_success, result.supabase_success) == (primary.success, secondary.success)
        assert primary.success is (sees in (Sees.FULL, Sees.OWED))
        assert secondary.success is (sees in (Sees.FULL, Sees.INSTEAD, Sees.SAME_AGAIN))
        self._words(result, primary, secondary)
        assert self.stores.tones(self.key) == self._held()
        return result

    def _words(self, result: DualStorageResult, primary: StoreResult, secondary: StoreResult) -> None:
        """Hold the sentences of a result against what happened."""
        sees, verb, error = self.case.sees, self.case.verb, result.error or ""
        unknown = {Sees.SAME_AGAIN: (True, False), Sees.UNKNOWN: (False, True)}.get(sees, (False, False))
        assert (primary.outcome == "unknown", secondary.outcome == "unknown") == unknown
        if sees is Sees.FULL:
            assert (result.error, primary.error, secondary.error) == (None, None, None)
            return
        blamed = primary if self.case.place is Place.PRIMARY else secondary
        if sees is not Sees.INSTEAD or self.case.place is Place.PRIMARY:
            self._blamed_write(blamed)
        if self.case.place is Place.INSTEAD:
            assert "prisma cannot be reached" in str(primary.error)
        begins = {Sees.FAILED: "Both storage systems are unavailable", Sees.UNKNOWN: "Nobody can say whether"}
        assert error.startswith(begins.get(sees, f"Partial {verb}, the other store gets it later"))
        if sees is Sees.UNKNOWN:
            assert str(secondary.error) in error

    def _blamed_write(self, blamed: StoreResult) -> None:
        assert re.search(self.case.says, blamed.error or ""), blamed.error

    def _held(self) -> tuple[str | None, str | None]:
        """Return what both stores hold right after the call."""
        arrived = self.new if self.case.arrives else self.old
        sees = self.case.sees
        if sees is Sees.FULL:
            return self.new, self.new
        if sees is Sees.OWED:
            return self.new, arrived
        if sees is Sees.SAME_AGAIN:
            return arrived, self.new
        if sees is Sees.INSTEAD:
            return self.old, self.new
        return self.old, arrived if sees is Sees.UNKNOWN else self.old

    def _agree_afterwards(self, result: DualStorageResult) -> None:
        """The fault is over: what was said comes true on both stores, and one that is unknown can be repeated."""
        arrived = self.case.arrives
        if self.case.sees is Sees.UNKNOWN:
            with self.stores.proxies[PRISMA].suffering(Plan(fault=Fault.REFUSED)):
                again = self._write(self.stores.repository())
            assert (again.success, again.outcome, again.repeated) == (True, VERBS[self.case.verb], arrived), again.error
        self.stores.drain()
        done = self.new if self.case.sees is not Sees.FAILED else self.old
        assert self.stores.tones(self.key) == (done, done)
        report = self.stores.repository().check_consistency(self.key)
        assert report.consistent, report.differences
        assert not [conflict for conflict in self.stores.usual.book.conflicts() if conflict.key == self.key]
        if result.success and result.record is not None and self.new is not None:
            kept = self.stores.repository().get(self.key)
            assert kept is not None
            assert (kept.version, kept.updated_at) == (result.record.version, result.record.updated_at)
