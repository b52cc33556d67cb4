"""What stands between a user and a check: settings, stores, grants, migrations, memory; each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from contracts.channels import MATRIX, Feature
from contracts.errors import TwinstoreError
from contracts.registry import known_datasets
from contracts.vocabulary import Channel, StoreName
from flows.settings import Settings
from flows.stages import Job, Look, look_at
from flows.wiring import Stores, find_stores, open_memory, runs_folder


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
    symptoms += _stores(settings, stores)
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
