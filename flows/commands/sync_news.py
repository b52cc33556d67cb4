"""How the following process tells what happens: a line of JSON for machines, a line of words on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from flows.commands.common import err
from flows.follow import News, Told

STYLES = {Told.UNAVAILABLE: "yellow", Told.REFUSED: "red", Told.RESUMED: "green"}


def teller(*, as_json: bool) -> Callable[[News], None]:
    """Return what tells the news on stderr: in words on a terminal, else, or when it is wanted, as JSON."""
    if as_json or not sys.stderr.isatty():
        return _as_json
    console = err()
    return lambda news: console.print(_in_words(news), style=STYLES.get(news.told, ""), soft_wrap=True)


_writing = Lock()


def _as_json(news: News) -> None:
    said: dict[str, object] = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": str(news.told)}
    if news.dataset is not None:
        said["dataset"] = news.dataset
    said |= news.facts
    said |= {name: text for name, text in (("what", news.what), ("todo", news.todo)) if text}
    with _writing:
        sys.stderr.write(json.dumps(said, ensure_ascii=False, default=str) + "\n")
        sys.stderr.flush()


def _in_words(news: News) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in news.facts.items())
    parts = (f"{datetime.now(UTC):%H:%M:%S}", news.dataset or "", str(news.told), facts, news.what, news.todo)
    return " ".join(part for part in parts if part)
