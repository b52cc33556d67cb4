"""The folder of backups: what lies there as it must not, and what nobody can read now."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.backups import plan_prune
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.backup.folder import chosen, list_backups, remove, remove_leftovers
from storage.backup.manifest import MANIFEST, VERIFIED
from tests.integration.storage.backup.conftest import Made
from tests.support import backups

DUMP = backups.DUMP[StoreName.PRISMA]


@pytest.mark.parametrize("name", [MANIFEST, VERIFIED, DUMP])
def test_what_cannot_be_read_now_is_neither_damaged_nor_removed(made: Made, name: str) -> None:
    """A disk that does not answer says nothing about a backup, which may be the last good one."""
    backups.proven(made.root, made.manifest.id)
    (made.folder / name).unlink()
    (made.folder / name).symlink_to(name)  # every look at it fails, and not for want of it
    (made.root / "20990101T000000000Z-abcd").mkdir()
    newer, known = list_backups(made.root)
    assert (newer.trouble, newer.unread) == (f"The file {MANIFEST} is missing.", False)
    assert (known.id, known.unread, known.trouble[:25]) == (made.manifest.id, True, "It cannot be read now: To")
    stay, gone = plan_prune([newer, known], datetime.now(UTC) + timedelta(days=40_000), keep=1, keep_days=1)
    assert [(one.id, one.why) for one in stay] == [(newer.id, "the newest one"), (known.id, "cannot be read now")]
    assert gone == ()


def test_a_lock_that_is_none_stops_nothing(made: Made) -> None:
    """Nobody can hold a folder called like it: the backup is listed, and can be removed."""
    (made.folder / "in-use").unlink(missing_ok=True)
    (made.folder / "in-use" / "more").mkdir(parents=True)
    assert [one.in_use for one in list_backups(made.root)] == [False]
    assert remove(made.root, made.manifest.id)
    assert list_backups(made.root) == ()


def test_what_is_still_there_is_not_removed(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever erases must know of files that the system keeps; they are tried again by the next run."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # root may remove everything

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        with pytest.raises(PermissionError):
            remove(made.root, made.manifest.id)
    assert list(made.root.rglob(DUMP))
    assert remove_leftovers(made.root) == 1
    assert not list(made.root.rglob(DUMP))


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is a file; where there is nothing at all there are no backups."""
    file = tmp_path / "file"
    file.write_text("not ours")
    nothing = tmp_path / "nothing"
    assert (list_backups(nothing), remove_leftovers(nothing)) == ((), 0)
    with pytest.raises(ConfigurationError, match="There is no backup in"):
        chosen(nothing, None)
    for look in (list_backups, remove_leftovers, lambda root: chosen(root, made.manifest.id)):
        with pytest.raises(ConfigurationError, match="is no folder"):
            look(file)
    shutil.rmtree(made.folder)
    made.folder.write_text("not a backup either")
    assert list_backups(made.root) == ()

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")  # root may read every folder

    monkeypatch.setattr(Path, "iterdir", refuse)
    for look in (list_backups, remove_leftovers, lambda root: chosen(root, made.manifest.id)):
        with pytest.raises(PermissionError):
            look(made.root)
