"""Lives of processes that are killed at a step; afterwards the servers have noticed, and the stores are compared."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from contracts.vocabulary import StoreName
from flows import stages
from flows.capturing import prove_capture
from storage.local.stores import GATE
from storage.migrations.replication_doors import REPLICATION_DOORS
from storage.migrations.values import Side
from storage.parity.engine import Parity
from tests.support.checking import job_of
from tests.support.crashing import ANSWERED
from tests.support.gateway import Rest
from tests.support.servers import Pair

REPOSITORY = Path(__file__).parents[2]
SENT_S = 0.1  # in which a request that was sent just now is read
NOTICED_S = 60.0  # a server that has not noticed by then that its client is gone never will
BOOK_READS = frozenset({"book.waiting", "book.counts"})
_BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND (pid = ANY(%s) OR usename = %s AND state <> 'idle')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a process told, and how it ended.

    Attributes:
        steps: The steps that it took.
        result: The result of its write; None when it died before it had one.
        killed: True when SIGKILL ended it, False when it came to its end.
    """

    steps: tuple[str, ...]
    result: Mapping[str, Any] | None
    killed: bool


class Nursery:
    """Lets processes live, one at a time.

    Args:
        process: What forks them.
        pair: The stores that they work on.
        rest: Where the secondary is served, for lives over REST.
        watchers: Connections as superuser, which see what the servers do.
    """

    def __init__(
        self,
        process: subprocess.Popen[str],
        pair: Pair,
        rest: Rest | None,
        *,
        watchers: Mapping[Side, psycopg.Connection[Any]],
    ) -> None:
        self._watchers = watchers
        self._process = process
        self._pair = pair
        self._rest = rest

    @property
    def over_rest(self) -> bool:
        """True when the secondary is reached over REST."""
        return self._rest is not None

    def live(
        self,
        do: str,
        *arguments: object,
        stop: str | None = None,
        primary: str | None = None,
        lost: bool | None = None,
        now_ms: int = 0,
        killed_after_s: float | None = None,
        **named: object,
    ) -> Life:
        """Let a process do one thing, until it ends or is killed, and both servers know of its end.

        Args:
            do: A method of the repository, `drain`, or `repair`.
            *arguments: What it is given.
            stop: The step at which it dies.
            primary: Another URL of the primary, such as one behind which nobody is.
            lost: The primary's acknowledgement of a write is lost; whether it was carried out.
            now_ms: The present, for a write.
            killed_after_s: After so many seconds it is killed from outside, wherever it is; never, unless given.
            **named: What it is given by name.
        """
        rest = self._rest and [self._rest.url, self._rest.secret_key]
        urls = {"primary": primary or self._pair.primary, "secondary": self._pair.secondary, "rest": rest}
        task: dict[str, object] = {
            "do": do,
            "arguments": arguments,
            "named": named,
            "stop": stop,
            "lost": lost,
            "now_ms": now_ms,
            **urls,
        }
        task |= {"killed_after_s": killed_after_s}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        told: list[dict[str, Any]] = answer["told"]
        assert answer["ended"] in (0, -9), told[-1]
        self._wait_for_servers([each["backend"] for each in told if "backend" in each], killed=answer["ended"] != 0)
        return Life(
            steps=tuple(each["step"] for each in told if "step" in each),
            result=next((each["result"] for each in told if "result" in each), None),
            killed=answer["ended"] == -9,
        )

    def _wait_for_servers(self, backends: Sequence[tuple[str, int]], *, killed: bool) -> None:
        """Wait until no process of a server works for one that is gone."""
        if self._rest is not None and killed:
            time.sleep(SENT_S)
        deadline = time.monotonic() + NOTICED_S
        for side, watcher in self._watchers.items():
            pids = [pid for name, pid in backends if name == side.value]
            gate = GATE if self._rest is not None and side is Side.SECONDARY else ""
            while watcher.execute(_BUSY, [pids, gate]).fetchall() != [(0,)]:
                assert time.monotonic() < deadline, "a server goes on working for a process that is gone"
                time.sleep(0.001)


@contextmanager
def nursery(pair: Pair, rest: Rest | None = None) -> Iterator[Nursery]:
    """Keep a warm process that forks lives for as long as the context lasts."""
    with (
        psycopg.connect(pair.primary_superuser, autocommit=True) as ours,
        psycopg.connect(pair.secondary_superuser, autocommit=True) as theirs,
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.crashing"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        yield Nursery(process, pair, rest, watchers={Side.PRIMARY: ours, Side.SECONDARY: theirs})
        assert process.stdin is not None
        process.stdin.close()


def steps_of(*acts: str, rest: bool = False, answered: bool = False) -> tuple[str, ...]:
    """Return the steps of acts, one after the other, as `tests.support.crashing` names them.

    Args:
        *acts: Each the name of a door with its side, or a method of the book; `book.refused 3` has three statements.
        rest: True when the secondary is reached over REST.
        answered: True when a result is told at the end.
    """
    steps: list[str] = []
    for act in acts:
        name, _, statements = act.partition(" ")
        side, _, door = name.partition(".")
        steps.append(f"{name} before")
        if name in BOOK_READS or (side != "book" and REPLICATION_DOORS[door].reads):
            continue
        if rest and side == "secondary":
            steps += [f"{name} unread", f"{name} after"]
            continue
        count = int(statements or (2 if door == "put" else 1))
        steps += [f"{name} statement {number}" for number in range(2, count + 1)]
        steps += [f"{name} {word}" for word in ("uncommitted", "committing", "after")]
    times: Counter[str] = Counter()
    numbered = []
    for step in (*steps, ANSWERED) if answered else steps:
        times[step] += 1
        numbered.append(step if times[step] == 1 else f"{step} ({times[step]})")
    return tuple(numbered)


def compared(pair: Pair) -> Parity:
    """Compare both stores by the engine, as a check does.

    Raises:
        TwinstoreError: Nothing could be concluded.
    """
    with closing(job_of(pair)) as job:
        looks = stages.look_at(job, StoreName.PRISMA), stages.look_at(job, StoreName.SUPABASE)
        comparison = stages.compare_stores(job, looks, prove_capture(job, looks))
    if comparison.error is not None:
        raise comparison.error
    assert comparison.parity is not None
    return comparison.parity


def proven_equal(pair: Pair) -> int:
    """Have the engine prove that both stores hold the same rows, and none of them in doubt; return how many."""
    parity = compared(pair)
    rows = parity.rows
    assert (parity.different, parity.differences, parity.reasons) == (0, (), ())
    assert (rows.pending, rows.deferred, rows.excluded, rows.primary) == (0, 0, 0, rows.secondary)
    assert parity.proof is not None
    assert not parity.blind
    return rows.primary
