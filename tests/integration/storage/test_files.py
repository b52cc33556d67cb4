"""Small files of our own: private, whole, on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.files import make_private, write_private

WRITERS = pytest.mark.parametrize("write", [write_private, make_private])


@WRITERS
@pytest.mark.parametrize(("content", "expected"), [("ä\r\n", "ä\r\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_a_file_is_private_and_as_it_was_given(
    tmp_path: Path, write: Callable[[Path, str | bytes], None], content: str | bytes, expected: bytes
) -> None:
    """Whatever the umask says; and nothing is left beside it."""
    before = os.umask(0)
    try:
        write(tmp_path / "kept", content)
    finally:
        os.umask(before)
    assert (tmp_path / "kept").read_bytes() == expected
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    """As a whole: who has the old one open goes on reading that, and a link is replaced, not followed."""
    (tmp_path / "elsewhere").write_text("theirs", encoding="utf-8")
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere")
    write_private(tmp_path / "kept", "first")
    with (tmp_path / "kept").open(encoding="utf-8") as file:
        write_private(tmp_path / "kept", "second")
        assert file.read() == "first"
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "second"
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "theirs"


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Of several that make it at once one wins, and all read the same."""
    kept = tmp_path / "kept"

    def make(number: int) -> bytes:
        make_private(kept, bytes([number]) * 1000)
        return kept.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(make, range(64)))
    assert seen == {kept.read_bytes()}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@WRITERS
def test_a_file_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, write: Callable[[Path, str | bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses leaves what was there before, and nothing beside it."""
    (tmp_path / "kept").write_text("before", encoding="utf-8")

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write(tmp_path / "kept", "after")
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
