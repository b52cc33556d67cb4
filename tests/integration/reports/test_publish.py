"""Runs on disk."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ConfigurationError
from contracts.vocabulary import Verdict
from reports.publish import publish, refresh_index, run_entries
from tests.support.factories import MASK_KEY, make_large_report, make_report, with_texts
from tests.support.troubled_report import make_failed_report

FILES = {"report.html", "report.json", "junit.xml", "summary.md", "differences.csv"}


def mode(path: Path) -> int:
    """Return the permission bits of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_all_files_are_written_for_their_owner_only(tmp_path: Path) -> None:
    """Five files and an index, 0600 in folders of 0700, whatever the umask, and nothing else."""
    before = os.umask(0)
    try:
        folder = publish(make_failed_report(), tmp_path / "deep" / "runs", mask_key=MASK_KEY)
    finally:
        os.umask(before)
    assert {f.name for f in folder.iterdir()} == FILES
    assert {f.name for f in folder.parent.iterdir()} == {folder.name, "index.html"}
    assert {mode(f) for f in folder.iterdir()} | {mode(folder.parent / "index.html")} == {0o600}
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    """The mode of a folder that somebody else made is not changed."""
    tmp_path.chmod(0o755)
    publish(make_report(), tmp_path, mask_key=MASK_KEY)
    assert mode(tmp_path) == 0o755


def test_the_index_lists_every_run(tmp_path: Path) -> None:
    """Readable runs by their report, unreadable ones as such; links and other folders are left out."""
    publish(make_failed_report(), tmp_path, mask_key=MASK_KEY)
    publish(make_report(run_id="20260315-020000-aaaa"), tmp_path, mask_key=MASK_KEY)
    for name, text in {
        "torn": '{"run_id": "x"',
        "list": "[1]",
        "other": '{"verdict": "great"}',
        "text": "\x00",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(text)
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "latest-demo").symlink_to(tmp_path / "20260315-020000-aaaa")
    entries = {e.run_id: e for e in run_entries(tmp_path)}
    assert set(entries) == {"20260314-020000-9f3c", "20260315-020000-aaaa", "torn", "list", "other", "text", "empty"}
    assert (entries["20260314-020000-9f3c"].verdict, entries["20260314-020000-9f3c"].differences) == (
        Verdict.FAILED,
        467,
    )
    assert {entries[name].reason for name in ("torn", "list", "other", "text")} == {"report.json cannot be read."}
    assert entries["empty"].reason == "report.json is missing."
    page = refresh_index(tmp_path).read_text()
    assert page.count("unreadable") == 5
    assert "20260315-020000-aaaa/report.html" in page


def test_a_torn_document_is_unreadable(tmp_path: Path) -> None:
    """A document that was cut off after its head is not taken for a whole one."""
    folder = publish(make_failed_report(), tmp_path, mask_key=MASK_KEY)
    text = (folder / "report.json").read_text()
    (folder / "report.json").write_text(text[:-100])
    assert [e.verdict for e in run_entries(tmp_path)] == [None]


def test_a_document_of_other_layout_is_read(tmp_path: Path) -> None:
    """A report that another tool wrote again, without our line breaks, still counts."""
    folder = publish(make_failed_report(), tmp_path, mask_key=MASK_KEY)
    path = folder / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert [e.verdict for e in run_entries(tmp_path)] == [Verdict.FAILED]


def test_a_run_is_replaced_whole(tmp_path: Path) -> None:
    """Publishing again replaces every file; a reader who holds one open keeps the old one."""
    folder = publish(make_failed_report(), tmp_path, mask_key=MASK_KEY)
    with (folder / "report.html").open() as old:
        publish(make_report(reason="Mended."), tmp_path, mask_key=MASK_KEY)
        assert "Mended." not in old.read()
    assert "Mended." in (folder / "report.html").read_text()
    assert {f.name for f in folder.iterdir()} == FILES


@pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", ".hidden", "x" * 200, "a\0b", "a\n"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, run_id: str) -> None:
    """No run can be written outside the folder of runs."""
    with pytest.raises(ConfigurationError):
        publish(make_report(run_id=run_id), tmp_path / "runs", mask_key=MASK_KEY)
    assert not (tmp_path / "runs").exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in the place of a run's folder is refused; a link in the place of a file is replaced."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    runs = tmp_path / "runs"
    folder = publish(make_report(), runs, mask_key=MASK_KEY)
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(elsewhere / "target")
    publish(make_report(), runs, mask_key=MASK_KEY)
    assert not (folder / "report.html").is_symlink()
    (runs / "20260101-linked").symlink_to(elsewhere)
    with pytest.raises(ConfigurationError):
        publish(make_report(run_id="20260101-linked"), runs, mask_key=MASK_KEY)
    assert list(elsewhere.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """When a report cannot be rendered midway, what was there stays, and no half-written file is left behind."""
    folder = publish(make_report(), tmp_path, mask_key=MASK_KEY)
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        publish(make_failed_report(), tmp_path, mask_key=MASK_KEY)
    assert {f.name for f in folder.iterdir()} == set(before)
    assert (folder / "report.json").read_bytes() == before["report.json"]


@pytest.mark.parametrize("text", ["\ud800", "<script>", "\x1b[2J", "=1+1"])
def test_hostile_texts_can_be_written(tmp_path: Path, text: str) -> None:
    """Every file is valid UTF-8 whatever the texts."""
    report = make_failed_report()

    def change(value: str) -> str:
        return value if value == report.run_id else text

    folder = publish(with_texts(report, change), tmp_path, mask_key=MASK_KEY)
    for file in folder.iterdir():
        content = file.read_text(encoding="utf-8")
        assert "\x1b" not in content
    assert [e.verdict for e in run_entries(tmp_path)] == [Verdict.FAILED]


def test_no_personal_value_is_in_any_file(tmp_path: Path) -> None:
    """A canary in every personal value is in no file of a masked run."""
    report: Any = make_large_report(40)
    folder = publish(report, tmp_path, mask_key=MASK_KEY)
    for file in folder.iterdir():
        assert "xxxxxxxx" not in file.read_text()
        assert "Title 7" not in file.read_text()
        assert MASK_KEY.decode() not in file.read_text()
