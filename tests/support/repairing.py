"""What tests of repair share: the command as users call it, in this process, and runs that found what they name."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.verdicts import Difference, Explanation
from contracts.vocabulary import Channel, DifferenceKind, StoreName, Verdict
from flows.check import make_run_id
from flows.cli import main
from flows.repair.sides import identities
from flows.settings import load_settings
from flows.wiring import find_stores
from storage.state import open_state
from tests.support.checking import over
from tests.support.factories import make_dataset, make_report, make_stores
from tests.support.servers import Pair
from tests.support.two_stores import settings_of

PRISMA, SUPABASE = StoreName
KINDS = {
    "differing": DifferenceKind.DIFFERING,
    "only_primary": DifferenceKind.ONLY_PRIMARY,
    "only_secondary": DifferenceKind.ONLY_SECONDARY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it complained about.
    """

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What it printed for machines."""
        return dict(json.loads(self.out))


class _Terminal(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def say(*words: str, typed: str | None = None) -> Said:
    """Call the command line as the installed script does, in this process and with its environment.

    Args:
        *words: What is said on the command line.
        typed: What is typed at a terminal; there is none unless given.
    """
    printed, complained = io.StringIO(), io.StringIO()
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(complained):
        patch.setattr(sys, "argv", ["twinstore", *words])
        patch.setattr(sys, "stdin", io.StringIO() if typed is None else _Terminal(typed))
        try:
            main()
        except SystemExit as exc:
            code = int(exc.code or 0)
    return Said(code=code, out=printed.getvalue(), err=complained.getvalue())


@contextmanager
def environment_of(
    pair: Pair, channel: Channel, home: Path, monkeypatch: pytest.MonkeyPatch, **settings: str
) -> Iterator[None]:
    """Let the settings name this pair."""
    monkeypatch.setenv("COLUMNS", "220")
    with over(pair, channel) as rest:
        for name, value in {**settings_of(pair, home, rest), **settings}.items():
            monkeypatch.setenv(name, value)
        yield


def remember_run(
    home: Path,
    found: Mapping[str, str],
    *,
    verdict: Verdict = Verdict.FAILED,
    ago_h: float = 1,
    why: Sequence[Explanation] = (),
    known_as: Mapping[StoreName, str] | None = None,
) -> str:
    """Remember a run that found these keys, each with its kind, in the memory below a home; return its id.

    It looked at the stores that the settings name, unless others are given.
    """
    at = datetime.now(UTC) - timedelta(hours=ago_h)
    differences = tuple(Difference(key=key, kind=KINDS[kind], explanations=tuple(why)) for key, kind in found.items())
    dataset = make_dataset(verdict=verdict, differences=differences, differences_total=len(differences))
    these = known_as if known_as is not None else _named()
    dataset = replace(dataset, stores=tuple(replace(facts, known_as=these[facts.store]) for facts in dataset.stores))
    run_id = make_run_id(at)
    home.mkdir(mode=0o700, exist_ok=True)
    with open_state(f"sqlite:///{home / 'state.sqlite'}", environment="default") as state:
        state.remember(make_report(run_id=run_id, started_at=at, finished_at=at, verdict=verdict, datasets=(dataset,)))
    return run_id


def _named() -> dict[StoreName, str]:
    """Return by what the stores that the settings name are known; anything where they name none."""
    settings = load_settings()
    if settings.embedded:
        return {facts.store: facts.identity for facts in make_stores()}
    return identities(settings, find_stores(settings), "planning")
