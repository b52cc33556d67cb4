"""Folders of spooled rows: whoever uses one is left alone, and what a dead process left is found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.rest import row_file
from storage.rest.row_file import left_behind, private_folder

_HOLD = """
import sys
from storage.rest.row_file import private_folder
with private_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of its own."""
    monkeypatch.setattr(row_file.tempfile, "tempdir", str(tmp_path))  # type: ignore[attr-defined]  # where rows are spooled
    return tmp_path


@contextmanager
def holder(spools: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Run a process that holds a folder to which nobody wrote for two hours."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD],
        env={**os.environ, "TMPDIR": str(spools)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        aged(folder)
        try:
            yield folder, process
        finally:
            process.kill()


def aged(folder: Path) -> None:
    """Let a folder be one that nobody wrote to for two hours."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (time.time() - 7200,) * 2)


def test_a_folder_is_left_once_its_process_is_dead(spools: Path) -> None:
    """However old it is while its process lives, however young it is afterwards."""
    with holder(spools) as (folder, process):
        assert left_behind() == ()
        process.kill()
        process.wait()
        (folder / "rows").touch()
        assert left_behind() == (folder,)
    with private_folder() as ours:
        aged(ours)
        assert left_behind() == (folder,)
    assert not ours.exists()


def test_without_a_lock_the_age_tells(spools: Path) -> None:
    """A folder that is just being made is not taken for one that was left; a link is never followed."""
    made = spools / "twinstore-rows-made"
    made.mkdir()
    (spools / "twinstore-rows-link").symlink_to(made)
    assert left_behind() == ()
    aged(made)
    assert left_behind() == (made,)
