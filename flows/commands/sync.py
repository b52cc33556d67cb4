"""`twinstore sync run` and `twinstore sync status`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from flows.commands import sync_show
from flows.commands.common import err, out
from flows.commands.sync_news import teller
from flows.follow import Follower, News, Pauses, Told, tell_of_breakers
from flows.follow_process import PATIENCE_S, Chore, Turns, follow
from flows.opening import Opened, make_guards, opened
from flows.replicating import Replication
from flows.sync import Conclusion, Slice, drain, survey
from flows.version import VERSION

if TYPE_CHECKING:
    from storage.replication.relay import Pass

FORGET_S = 3600.0
_LEFT_FOR_A_PERSON = "conflict"


@dataclass
class Asked:
    """Who asked the process to end: a signal, told to the one that works by a flag."""

    flag: Flag
    number: int | None = None


def status_command(dataset: str | None, *, as_json: bool) -> None:
    """Print how far the stores have come; exit code 0 fine, 1 something waits for a person, 2 could not tell."""
    with opened(dataset, alone=True) as work:
        found = [(replication, survey(replication)) for replication in work.replications]
    conclusion = sync_show.worst([one for _, one in found])
    if as_json:
        documents = [sync_show.as_document(replication, one) for replication, one in found]
        sys.stdout.write(json.dumps({"conclusion": conclusion, "datasets": documents}, indent=2) + "\n")
    else:
        console = out()
        for replication, one in found:
            for line in sync_show.lines(replication, one):
                console.print(line, style=_style(line, one.conclusion), soft_wrap=True)
    sys.exit(conclusion.exit_code)


def run_command(dataset: str | None, *, follow_on: bool, as_json: bool) -> None:
    """Carry over what waits, once or for as long as the process lives."""
    if follow_on:
        _follow(dataset, as_json=as_json)
    else:
        _once(dataset, as_json=as_json)


def _once(dataset: str | None, *, as_json: bool) -> None:
    """Drain each dataset; exit code 1 when something is left for a person, 2 when a store could not be reached."""
    results, code = [], 0
    with opened(dataset, remembering=True) as work, _asked() as asked:
        for replication in work.replications:
            before = survey(replication)
            if before.errors:
                raise before.errors[0]
            part = None
            if before.status.ready:
                part = _drained(work, replication, asked, dirty=_dirty(before.status))
            after = survey(replication)
            code = max(code, _exit_code(before.status.ready, part, after.conclusion))
            results.append(_result(replication, part, sync_show.as_document(replication, after)))
    if as_json:
        sys.stdout.write(json.dumps({"datasets": results}, indent=2) + "\n")
    else:
        for result in results:
            _print_result(result)
    sys.exit(code if asked.number is None else 128 + asked.number)


def _drained(work: Opened, replication: Replication, asked: Asked, *, dirty: int) -> Slice:
    name = replication.dataset.name
    turn = Turns(work.memory, name, owner="twinstore sync run", patience_s=PATIENCE_S)
    with _bar(name, dirty) as progress:
        return drain(replication.both()[2], turn, stop=asked.flag.is_set, progress=progress)


def _follow(dataset: str | None, *, as_json: bool) -> None:
    """Follow the changes of the stores until somebody asks to end; then the exit code is 0."""
    tell, guards = teller(as_json=as_json), make_guards()
    with _asked() as asked, opened(dataset, remembering=True, guards=guards) as work:
        names = [replication.dataset.name for replication in work.replications]
        interval_s = work.settings.sync_interval_s
        tell(News(told=Told.STARTED, facts={"version": VERSION, "datasets": names, "interval_s": interval_s}))
        tell_of_breakers(guards, tell)
        pauses = Pauses(interval_s=interval_s)
        pairs = []
        for replication in work.replications:
            turns = Turns(work.memory, replication.dataset.name, owner="twinstore sync run --follow")
            pairs.append((Follower(replication, turns, tell=tell, stop=asked.flag, pauses=pauses), turns))
        in_order = follow(pairs, _chores(work), tell=tell, stop=asked.flag)
        tell(News(told=Told.STOPPED, facts={"in_order": in_order}))
        if not in_order:  # a thread hangs in a call to a store: nobody can wait for it
            os._exit(0)
    sys.exit(0)


def _chores(work: Opened) -> list[Chore]:
    def forget() -> None:
        for replication in work.replications:
            replication.book.forget_requests()

    return [Chore(name="forget old requests", every_s=FORGET_S, work=forget)]


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
def _bar(name: str, dirty: int) -> Iterator[Callable[[Pass], None]]:
    """Show on a terminal how many keys were carried over; elsewhere print nothing."""
    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"carry over {name}", total=dirty or None)
        yield lambda done: bar.update(task, completed=done.carried, total=max(dirty, done.carried) or None)


def _dirty(status: Any) -> int:
    return sum(side.dirty for side in (status.primary, status.secondary) if side is not None)


def _exit_code(ready: bool, part: Slice | None, after: Conclusion) -> int:  # noqa: FBT001 - three facts of one thing
    if after is Conclusion.UNKNOWN:
        return Conclusion.UNKNOWN.exit_code
    left = part is not None and (part.done.given_up or part.done.outcomes[_LEFT_FOR_A_PERSON])
    return 1 if left or not ready else 0


def _result(replication: Replication, part: Slice | None, after: dict[str, Any]) -> dict[str, Any]:
    done = part.done if part else None
    return {
        "dataset": replication.dataset.name,
        "carried": done.carried if done else 0,
        "outcomes": dict(sorted(done.outcomes.items())) if done else {},
        "given_up": done.given_up if done else 0,
        "delayed": done.delayed if done else 0,
        "finished": part is not None and part.finished,
        "left": sum((after[side] or {}).get("dirty", 0) for side in ("primary", "secondary")),
        "status": after,
    }


def _print_result(result: dict[str, Any]) -> None:
    console = out()
    words = ", ".join(f"{outcome} {count:,}" for outcome, count in result["outcomes"].items() if count)
    text = f"{result['dataset']}: {result['carried']:,} keys carried over"
    text += f" ({words})" if words else ""
    if result["left"]:
        text += f"; {result['left']:,} still wait"
    console.print(text + ".", soft_wrap=True)
    for todo in result["status"]["todo"]:
        console.print(f"  {todo}", soft_wrap=True)


def _style(line: str, conclusion: Conclusion) -> str:
    return "" if line.startswith(" ") else sync_show.STYLES[conclusion]
