"""`twinstore check` as users have it: exit codes, causes in words and in report.json, and the commands around it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
import typer.main

from contracts.vocabulary import CheckStatus
from flows.cli import app
from reports.words import CAUSES
from storage.local.faults import FAULTS, PAIRS, inject
from storage.local.seed import load
from tests.support.command import REPOSITORY, flat, twinstore
from tests.support.servers import SEEDED, Pair

FAULT = {fault.id: fault for fault in (*FAULTS, *PAIRS)}
SCHEMA = json.loads((REPOSITORY / "docs" / "report.schema.json").read_text(encoding="utf-8"))
HEAVY = ("pandas", "pandera", "great_expectations", "prefect", "supabase", "sqlalchemy", "psycopg", "pyarrow")


@pytest.fixture
def fresh_pair(pair: Pair) -> Pair:
    """Two databases with the same records, the newest of now: the command line goes by the real clock."""
    load(pair.primary, pair.secondary, SEEDED, now=datetime.now(UTC))
    return pair


def document(stdout: str) -> dict[str, Any]:
    """Return report.json of the run whose report a command names."""
    page = Path(stdout.rsplit("Report: ", 1)[1].strip())
    assert page.is_file()
    loaded: dict[str, Any] = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    return loaded


def test_a_clean_pair_is_passed(fresh_pair: Pair, home: Path) -> None:
    """Equal stores give exit code 0, a verdict in words, a report, and nothing on stderr."""
    done = twinstore(fresh_pair, home, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "passed" in done.stdout
    assert "All 300 rows are equal on both stores" in flat(done.stdout)
    found = document(done.stdout)
    assert (found["verdict"], found["differences_total"]) == ("passed", 0)


SIX = {
    "content_double_encoded_prisma": 1,  # differing
    "window_lost_supabase": 1,  # one-sided
    "title_blank_both": 0,  # a warning only
    "status_alias_prisma": 0,  # equal in canonical form only, and a rule of severity info
    "id_composite": 1,  # excluded
    "content_double_encoded_prisma+title_case_supabase": 1,  # two faults on one row
}


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [pytest.param(name, code, id=name, marks=() if "+" in name else pytest.mark.soak) for name, code in SIX.items()],
)
def test_a_single_fault_through_the_command_line(fresh_pair: Pair, home: Path, name: str, exit_code: int) -> None:
    """The exit code is the catalogue's, and causes and failing rules are named on the terminal and in report.json."""
    expects = FAULT[name].expects
    (planted,) = inject(fresh_pair.primary, fresh_pair.secondary, [FAULT[name]])
    done = twinstore(fresh_pair, home, "check")
    assert done.returncode == expects.verdict.exit_code == exit_code, done.stdout + done.stderr
    (found,) = document(done.stdout)["datasets"]
    assert found["verdict"] == expects.verdict
    assert {c["cause"] for c in found["clusters"]} == set(expects.causes)
    assert [d["key"] for d in found["differences"]] == (sorted(planted.found) if expects.kind else [])
    assert found["rows"]["excluded"] == expects.excluded
    assert found["rows"]["matched_representation"] == expects.representation
    failing = {(c["id"], c["store"]) for c in found["checks"] if c["status"] == CheckStatus.FAILED}
    assert expects.checks <= failing
    shown = flat(done.stdout).lower()
    assert all(CAUSES[cause].lower() in shown for cause in expects.causes), done.stdout
    assert all(rule in shown for rule, _ in expects.checks)


def test_json_is_the_document_of_the_schema(fresh_pair: Pair, home: Path) -> None:
    """`--json` prints one document that the published schema allows, and nothing else; no personal value is in it."""
    inject(fresh_pair.primary, fresh_pair.secondary, [FAULT["content_double_encoded_prisma"]])
    done = twinstore(fresh_pair, home, "check", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(found)
    assert found["verdict"] == "failed"
    assert found["masked"]["personal"] is True


def test_reports_are_listed_and_found_again(fresh_pair: Pair, home: Path) -> None:
    """`report list` shows the newest run first; `report open --print` prints the path of the newest or a named one."""
    none = twinstore(None, home, "report", "open", "--print")
    assert (none.returncode, none.stdout) == (2, "")
    assert "There is no run yet." in none.stderr
    runs = [json.loads(twinstore(fresh_pair, home, "check", "--json").stdout)["run_id"] for _ in range(2)]
    listed = json.loads(twinstore(None, home, "report", "list", "--json").stdout)
    assert [(entry["run_id"], entry["verdict"]) for entry in listed] == [(run, "passed") for run in reversed(runs)]
    table = twinstore(None, home, "report", "list")
    assert all(run in table.stdout for run in runs)
    newest = twinstore(None, home, "report", "open", "--print")
    assert Path(newest.stdout.strip()) == home / "runs" / runs[1] / "report.html"
    older = twinstore(None, home, "report", "open", runs[0], "--print")
    assert Path(older.stdout.strip()) == home / "runs" / runs[0] / "report.html"
    empty = twinstore(None, home, "report", "open", "", "--print")
    assert (empty.returncode, "The id of the run is empty." in flat(empty.stderr)) == (2, True)
    unknown = twinstore(None, home, "report", "open", "no-such-run", "--print")
    assert unknown.returncode == 2
    assert "There is no run no-such-run." in unknown.stderr


def test_an_unknown_dataset_is_refused_before_anything_is_done(home: Path) -> None:
    """A wrong name is bad usage: exit code 2, and no run."""
    done = twinstore(None, home, "check", "--dataset", "plannings")
    assert done.returncode == 2
    assert "There is no dataset 'plannings'." in done.stderr
    assert not (home / "runs").exists()


def commands(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return all commands, groups included, by what is said to reach them."""
    found = {path: command}
    for name, inner in getattr(command, "commands", {}).items():
        found |= commands(inner, (*path, name))
    return found


ALL = commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_has_help(path: tuple[str, ...]) -> None:
    """What a command and each of its options do is said in words."""
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)} {parameter.name}"


def test_help_loads_no_heavy_library() -> None:
    """`twinstore --help` answers without the libraries that take seconds to load."""
    code = (
        "import sys\n"
        "sys.argv = ['twinstore', '--help']\n"
        "from flows.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "Exit codes: 0 passed" in done.stdout
    assert done.stdout.splitlines()[-1] == "LOADED []"
