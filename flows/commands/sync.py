"""`twinstore sync run` and `twinstore sync status`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from contracts.errors import TwinstoreError
from contracts.health import HealthReport
from contracts.replication import MANY
from flows.commands import sync_show
from flows.commands.common import err, out
from flows.commands.sync_news import teller
from flows.draining import Drained, drain_once
from flows.follow import Follower, News, Pauses, Told, tell_of_breakers
from flows.follow_process import Chore, Turns, follow
from flows.opening import Opened, opened
from flows.probing import configured_stores
from flows.replicating import Replication
from flows.sync import Conclusion, survey, todos
from flows.version import VERSION

if TYPE_CHECKING:
    from storage.replication.relay import Pass
    from storage.state import State

WATCH_S = 60.0


@dataclass
class Asked:
    """Who asked the process to end: a signal, told to the one that works by a flag."""

    flag: Flag
    number: int | None = None


def status_command(dataset: str | None, *, as_json: bool) -> None:
    """Print how far the stores have come; exit code 0 fine, 1 something waits for a person, 2 could not tell."""
    with opened(dataset, alone=True, remembering=True) as work:
        found = [(replication, survey(replication)) for replication in work.replications]
        health = _health(work)
    conclusion = sync_show.worst([one for _, one in found])
    if as_json:
        documents = [sync_show.as_document(replication, one) for replication, one in found]
        said = {"conclusion": conclusion, "datasets": documents, **sync_show.health_document(health)}
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
    else:
        console = out()
        for replication, one in found:
            for line in sync_show.lines(replication, one):
                console.print(line, style=_style(line, one.conclusion), soft_wrap=True)
        for line in sync_show.health_lines(health, datetime.now(UTC)):
            console.print(line, soft_wrap=True)
    sys.exit(conclusion.exit_code)


def _health(work: Opened) -> HealthReport | None:
    """Return what the watch remembers of both stores; None without a memory."""
    from flows.health import health_of

    if work.memory is None:
        return None
    try:
        return health_of(work.memory, datetime.now(UTC), configured=configured_stores(work.stores))
    except TwinstoreError:  # how far the stores have come is told without it
        return None


def run_command(dataset: str | None, *, follow_on: bool, as_json: bool) -> None:
    """Carry over what waits, once or for as long as the process lives."""
    if follow_on:
        _follow(dataset, as_json=as_json)
    else:
        _once(dataset, as_json=as_json)


def _once(dataset: str | None, *, as_json: bool) -> None:
    """Drain each dataset; exit code 1 when something is left for a person, 2 when a store could not be reached."""
    drained: list[tuple[Replication, Drained]] = []
    with opened(dataset, remembering=True, guarded=True) as work, _asked() as asked:
        for replication in work.replications:
            with _bar(replication.dataset.name) as begin:
                one = drain_once(work, replication, owner="twinstore sync run", stop=asked.flag.is_set, begin=begin)
            drained.append((replication, one))
    if as_json:
        results = [_result(one, sync_show.as_document(replication, one.after)) for replication, one in drained]
        sys.stdout.write(json.dumps({"datasets": results}, indent=2) + "\n")
    else:
        for _, one in drained:
            out().print(one.sentence, soft_wrap=True)
            for todo in todos(one.after.status):
                out().print(f"  {todo}", soft_wrap=True)
    code = max(one.exit_code for _, one in drained)
    sys.exit(code if asked.number is None else 128 + asked.number)


def _follow(dataset: str | None, *, as_json: bool) -> None:
    """Follow the changes of the stores until somebody asks to end; then the exit code is 0."""
    tell = teller(as_json=as_json)
    with _asked() as asked, opened(dataset, remembering=True, guarded=True, patient=False) as work:
        names = [replication.dataset.name for replication in work.replications]
        interval_s = work.settings.sync_interval_s
        tell(News(told=Told.STARTED, facts={"version": VERSION, "datasets": names, "interval_s": interval_s}))
        tell_of_breakers(work.guards, tell)
        pauses = Pauses(interval_s=interval_s)
        pairs = []
        for replication in work.replications:
            turns = Turns(work.memory, replication.dataset.name, owner="twinstore sync run --follow")
            pairs.append((Follower(replication, turns, tell=tell, stop=asked.flag, pauses=pauses), turns))
        in_order = follow(pairs, _chores(work, tell), tell=tell, stop=asked.flag)
        tell(News(told=Told.STOPPED, facts={"in_order": in_order}))
        if not in_order:  # a thread hangs in a call to a store: nobody can wait for it
            os._exit(0)
    sys.exit(0)


def _chores(work: Opened, tell: Callable[[News], None]) -> list[Chore]:
    """Return what is done beside the loops: both stores are watched, where there is a memory."""
    return [] if work.memory is None else [Chore(name="watch", every_s=WATCH_S, work=_watch(work, work.memory, tell))]


def _watch(work: Opened, memory: State, tell: Callable[[News], None]) -> Callable[[], None]:
    """Return what looks at the health of both stores, and tells of alerts that are new or gone."""
    from flows.health import watch_once

    known: dict[tuple[str, str], str] = {}

    def watch() -> None:
        report = watch_once(work.settings, work.stores, memory, datetime.now(UTC), guards=work.guards.values())
        now = {(str(alert.rule), alert.subject): alert.text for alert in report.alerts}
        for alert in report.alerts:
            if (str(alert.rule), alert.subject) not in known:
                facts = {"rule": str(alert.rule), "subject": alert.subject, "severity": str(alert.severity)}
                tell(News(told=Told.ALERT, facts=facts, what=alert.text))
        for rule, subject in known.keys() - now.keys():
            tell(News(told=Told.RESOLVED, facts={"rule": rule, "subject": subject}))
        known.clear()
        known.update(now)

    return watch


@contextmanager
def _asked() -> Iterator[Asked]:
    """Let SIGTERM and SIGINT ask to end; a second one ends the process at once."""
    asked = Asked(Flag())

    def heard(number: int, _frame: object) -> None:
        if asked.flag.is_set():
            os._exit(128 + number)
        asked.number = number
        asked.flag.set()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int], Callable[[Pass], None]]]:
    """Show on a terminal how many keys were carried over; elsewhere print nothing."""
    console = err()
    if not console.is_terminal:
        yield lambda _: lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:

        def begin(dirty: int) -> Callable[[Pass], None]:
            def total(carried: int) -> int | None:
                return max(dirty, carried) or None if dirty <= MANY else None

            task = bar.add_task(f"carry over {name}", total=total(0))
            return lambda done: bar.update(task, completed=done.carried, total=total(done.carried))

        yield begin


def _result(one: Drained, after: dict[str, Any]) -> dict[str, Any]:
    done = one.part.done if one.part else None
    return {
        "dataset": one.dataset,
        "carried": one.carried,
        "outcomes": one.outcomes,
        "given_up": done.given_up if done else 0,
        "delayed": done.delayed if done else 0,
        "finished": one.part is not None and one.part.finished,
        "left": one.left,
        "status": after,
    }


def _style(line: str, conclusion: Conclusion) -> str:
    return "" if line.startswith(" ") else sync_show.STYLES[conclusion]
