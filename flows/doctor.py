"""What stands between a user and a check: settings, stores, grants, migrations, capture, memory; with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.channels import MATRIX, Feature
from contracts.errors import TwinstoreError
from contracts.registry import known_datasets
from contracts.replication import SyncStatus, waiting
from contracts.vocabulary import Channel, StoreName
from flows.job import Job
from flows.outcomes import Look
from flows.replicating import channel_of, open_replication, replicated_datasets
from flows.settings import Settings
from flows.stages import look_at
from flows.sync import Survey, survey
from flows.wiring import Stores, find_stores, open_memory, runs_folder

LATE_S = 300.0  # a change that has waited for longer: probably nobody carries changes over


class State(StrEnum):
    """How a symptom is to be taken."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing that was looked at.

    Attributes:
        about: What it concerns: settings, a store, a dataset, the memory.
        state: How it is to be taken.
        text: What was found, in one sentence.
        todo: What to do about it; empty when nothing needs doing.
    """

    about: str
    state: State
    text: str
    todo: str = ""


def examine(settings: Settings) -> list[Symptom]:
    """Look at everything that a check needs. Changes nothing, but starts the embedded pair when that is used."""
    symptoms = list(_settings(settings))
    try:
        stores = find_stores(settings, migrated=False)
    except TwinstoreError as exc:
        return [*symptoms, _bad("settings", exc)]
    of_stores = list(_stores(settings, stores))
    symptoms += of_stores
    if not any(symptom.state is State.BAD for symptom in of_stores):  # else those say more
        symptoms += _replication(settings, stores)
    symptoms += _memory(settings, stores)
    return symptoms


def _settings(settings: Settings) -> Iterator[Symptom]:
    if settings.embedded:
        yield Symptom(
            about="settings",
            state=State.NOTE,
            text="No store is configured, so the embedded pair is used.",
            todo="Set DATABASE_URL, and SUPABASE_URL with a key or SUPABASE_DB_URL, to check stores of your own.",
        )
    yield Symptom(about="settings", state=State.GOOD, text=f"Runs are written to {runs_folder(settings)}.")


def _stores(settings: Settings, stores: Stores) -> Iterator[Symptom]:
    for store in StoreName:
        url = stores.urls.get(store)
        if url is not None and url.ignored:
            names = ", ".join(url.ignored)
            yield Symptom(about=store, state=State.NOTE, text=f"The URL's parameters {names} are unknown and left out.")
        for name in known_datasets():
            now = datetime.now(UTC)
            with closing(Job(settings=settings, stores=stores, name=name, run_id="doctor", now=now)) as job:
                yield from _store(look_at(job, store), where=stores.where(store))


def _store(look: Look, *, where: str) -> Iterator[Symptom]:
    facts = look.facts
    if look.error is not None or facts is None:
        error = look.error or TwinstoreError("The store could not be looked at.", "Try again.")
        yield _bad(look.store, error)
        return
    server = f", PostgreSQL {facts.server_version}" if facts.server_version else ""
    migrated = "" if facts.channel is Channel.ROWS else ", and migrations are up to date"
    yield Symptom(
        about=look.store,
        state=State.GOOD,
        text=f"{facts.table} can be read on {where}{server}{migrated}.",
    )
    if not facts.sees_all_rows:
        yield Symptom(
            about=look.store,
            state=State.BAD,
            text=f"Rows may be hidden from our role: {facts.note or 'this is no table'}.",
            todo="Use the key of service_role, or connect as a role with BYPASSRLS; nothing is compared otherwise.",
        )
    if facts.channel is not None:
        able = [f for f in Feature if f in MATRIX[facts.channel]]
        unable = [f for f in Feature if f not in MATRIX[facts.channel]]
        text = f"The channel {facts.channel} allows: {', '.join(able)}"
        yield Symptom(
            about=look.store, state=State.GOOD, text=text + (f"; not {', '.join(unable)}." if unable else ".")
        )


def _replication(settings: Settings, stores: Stores) -> Iterator[Symptom]:
    """Say of each dataset that may be replicated whether its writes are captured and carried over."""
    if channel_of(settings, stores) is Channel.ROWS:
        return  # the matrix says what it does not allow
    for name in replicated_datasets():
        try:
            with open_replication(settings, stores, name) as replication:
                found = survey(replication)
        except TwinstoreError as exc:
            yield Symptom(
                about="sync", state=State.NOTE, text=f"{name} cannot be replicated: {exc.what}", todo=exc.todo
            )
            continue
        yield from _survey(name, found)


def _survey(name: str, found: Survey) -> Iterator[Symptom]:
    if found.errors:
        wrong = found.errors[0]
        bad = State.BAD if found.captured else State.NOTE
        yield Symptom(
            about="sync", state=bad, text=f"How far {name} has come is unknown: {wrong.what}", todo=wrong.todo
        )
        return
    status = found.status
    sides = [side for side in (status.primary, status.secondary) if side is not None]
    gaps = [side for side in sides if side.gap is not None]
    for side in gaps:
        yield Symptom(
            about="sync",
            state=State.BAD,
            text=f"Writes to {name} may have passed by on {side.store} ({side.gap}), and nothing is carried over.",
            todo="Run `twinstore check` to see what differs, then `twinstore adopt`.",
        )
    if not status.ready and not gaps:
        captured = "are captured, but" if found.captured else "are not captured, and"
        yield Symptom(
            about="sync",
            state=State.NOTE,
            text=f"Writes to {name} {captured} nothing is carried over: the stores were not adopted.",
            todo="Run `twinstore adopt` to have changes carried from each store to the other.",
        )
    if status.ready:
        yield _ready(name, status)
    if status.conflicts:
        text = f"{status.conflicts:,} conflicts of {name} wait for a decision."
        yield Symptom(about="sync", state=State.NOTE, text=text, todo="Look at `twinstore sync conflicts list`.")
    if status.dead_letters:
        text = f"{status.dead_letters:,} changes of {name} were refused and are not tried again by themselves."
        yield Symptom(about="sync", state=State.NOTE, text=text, todo="Look at `twinstore sync dead-letters list`.")


def _ready(name: str, status: SyncStatus) -> Symptom:
    """Say that changes are carried over; one that has waited for long may mean that nobody does it."""
    sides = [side for side in (status.primary, status.secondary) if side is not None]
    dirty, oldest_s = sum(side.dirty for side in sides), max(side.oldest_s for side in sides)
    late = oldest_s > LATE_S
    return Symptom(
        about="sync",
        state=State.NOTE if late else State.GOOD,
        text=f"Writes to {name} are captured and may be carried over; {waiting(dirty)}"
        + (f", the oldest for {oldest_s:,.0f} s." if dirty else "."),
        todo="Let `twinstore sync run --follow` run." if late else "",
    )


def _memory(settings: Settings, stores: Stores) -> Iterator[Symptom]:
    try:
        with open_memory(settings, stores.environment) as memory:
            durable = memory.durable
    except TwinstoreError as exc:
        yield _bad("memory", exc)
        return
    if durable:
        yield Symptom(about="memory", state=State.GOOD, text="Earlier runs are remembered.")
    else:
        yield Symptom(
            about="memory",
            state=State.NOTE,
            text="Nothing is remembered after a run, so history is unknown.",
            todo="Set TWINSTORE_STATE_URL, or keep TWINSTORE_HOME.",
        )


def _bad(about: str, error: TwinstoreError) -> Symptom:
    return Symptom(about=about, state=State.BAD, text=error.what, todo=error.todo)
