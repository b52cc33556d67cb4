"""The commands of backups: what they print, and with which exit code they end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.health import AlertRule
from contracts.vocabulary import StoreName
from flows.backup import backups_folder, known_backups, verify_backup
from flows.cli import app
from flows.health import watch_once
from flows.settings import load_settings
from flows.wiring import find_stores, open_memory
from storage.backup.folder import chosen, in_use, remove
from storage.backup.manifest import read_verification, write_verification
from tests.support import backups
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import settings_of


@pytest.fixture(autouse=True)
def _stores(still_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**settings_of(still_pair, home), "TWINSTORE_BACKUPS_KEEP": "1"}.items():
        monkeypatch.setenv(name, value)


def said(*words: str, code: int = 0) -> str:
    """Run a command in this process; return what it printed."""
    done = CliRunner().invoke(app, ["backup", *words])
    if isinstance(done.exception, TwinstoreError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def document(*words: str, code: int = 0) -> Any:
    """Run a command; return the JSON that it printed."""
    return json.loads(said(*words, "--json", code=code))


def made() -> str:
    """Make a backup of the primary; return its id."""
    return str(document("create", "--side", "primary")["id"])


def test_from_nothing_to_a_verified_backup() -> None:
    """Each command says what there is, and its exit code whether a backup can be relied on."""
    assert "There is no backup" in said("list", code=1)
    with pytest.raises(ConfigurationError, match="There is no backup"):
        said("verify")
    backup = made()
    assert "never" in said("list", code=1)
    found = document("verify", backup[:18])
    assert (found["id"], found["verified"], found["servers"]) == (backup, True, ["16"])
    (listed,) = document("list")
    assert listed["verification"]["verified"] is True
    assert [side["datasets"][0]["rows"] for side in listed["sides"]] == [SEEDED]
    assert f"prisma {SEEDED} rows" in said("list")
    folder = backups_folder(load_settings()) / backup
    known = read_verification(folder)
    assert known is not None
    write_verification(folder, replace(known, proven=(), untried=(StoreName.PRISMA,)))
    assert "nobody can tell of" in said("list", code=1)


@pytest.mark.soak
def test_what_a_restore_would_change_is_said() -> None:
    """In numbers, with the command that does it, and as JSON."""
    backup = made()
    planned = said("restore", "--side", "primary", "--dataset", "planning")
    assert "0 inserted, 0 changed, 0 deleted" in planned
    assert "--confirm" not in planned
    assert f"never proven to restore. Verify it first: `twinstore backup verify {backup}`" in planned
    backups.proven(backups_folder(load_settings()), backup)
    planned = said("restore", "--side", "primary", "--dataset", "planning")
    assert f"restore {backup} --side primary --dataset planning --confirm {backup}`" in planned
    assert document("restore", "--side", "primary")["changes"][0]["after"] == SEEDED


def test_a_damaged_backup_is_told() -> None:
    """Exit code 1, what is wrong in a sentence, and the list says it from then on."""
    backup = made()
    backups.cut(backups_folder(load_settings()) / backup / "prisma.dump", Random(1))
    assert "prisma.dump is shorter" in said("verify", code=1)
    assert "damaged" in said("list", code=1)


def test_old_backups_are_removed() -> None:
    """Not in a dry run, and not what is in use."""
    older, newer = made(), made()
    assert document("prune", "--dry-run")["removed"] == [older]
    with in_use(backups_folder(load_settings()) / older):
        assert document("prune")["removed"] == []
        assert not remove(backups_folder(load_settings()), older)
    assert f"{older} is removed" in said("prune")
    assert [backup.id for backup in known_backups(load_settings())] == [newer]


def test_a_backup_of_the_future_is_told() -> None:
    """Its clock was ahead, or this one is behind: what is newest is not what was made last.

    One without a manifest is never meant as the newest, and what a drill left that was killed is removed.
    """
    backup = made()
    later = f"2126{backup[4:]}"
    root = backups_folder(load_settings())
    (root / backup).rename(root / later)
    scratch = load_settings().home / "scratch"
    (scratch / "left").mkdir(parents=True)
    (scratch / "left.in-use").touch()
    assert f"{later} is dated later" in said("create", "--side", "primary")
    (root / f"2127{backup[4:]}").mkdir()
    assert not (scratch / "left").exists()
    assert chosen(root, None) == later


def test_words_that_mean_nothing_are_refused() -> None:
    """With what could be said instead."""
    with pytest.raises(ConfigurationError, match="no side 'left'"):
        said("create", "--side", "left")
    with pytest.raises(ConfigurationError, match="One store is restored at a time"):
        said("restore", "--side", "both")
    with pytest.raises(ConfigurationError, match="no side 'supabase'") as refused:
        said("restore", "--side", "supabase")
    assert refused.value.todo == "Say --side primary or secondary."
    for word in ("verify", "restore"):
        with pytest.raises(ConfigurationError, match="id of the backup is empty"):
            said(word, "", *(("--side", "primary") if word == "restore" else ()))
    backup = made()
    with pytest.raises(ConfigurationError, match=f"The backup is {backup}, and '' was confirmed"):
        said("restore", "--side", "primary", "--confirm", "")


def test_the_watch_raises_and_resolves_the_alert(servers: Servers) -> None:
    """Nobody is told of backups that nobody makes; of one that was never verified, until it is."""
    settings = load_settings()
    stores = find_stores(settings)

    def alerts() -> list[AlertRule]:
        with open_memory(settings, stores.environment) as memory:
            health = watch_once(settings, stores, memory, datetime.now(UTC), senders=())
        return [alert.rule for alert in health.alerts]

    assert AlertRule.BACKUP_UNVERIFIED not in alerts()
    made()
    assert AlertRule.BACKUP_UNVERIFIED in alerts()
    with open_memory(settings, stores.environment) as memory:
        verify_backup(settings, None, memory=memory, servers=backups.on_servers(servers))
    assert AlertRule.BACKUP_UNVERIFIED not in alerts()


def test_a_backup_of_another_version_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither verified nor damaged, is not restored, and stays."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.backup.manifest.FORMAT", 1)
        older = made()
    made()
    assert "nobody can tell" in said("list", code=1)
    for words in (("verify", older), ("restore", older, "--side", "primary")):
        with pytest.raises(TwinstoreError, match="made by another version of twinstore"):
            said(*words)
    assert f"{older} stays: made by another version" in said("prune")
