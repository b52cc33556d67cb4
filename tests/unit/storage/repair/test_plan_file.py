"""The file of a plan: what is written is read, and nothing else is taken for a plan."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigurationError
from contracts.repair import Act, Plan, Step
from storage.repair.plan_file import PLAN_FILE, read_plan, write_plan
from tests.support.repair_plans import make_left, make_plan, make_step

TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Steps of every act, what is left and the header come back, with the hash of the file."""
    plan = make_plan(
        make_step(1, Act.INSERT), make_step(2, Act.UPDATE, needs=1), make_step(3, Act.DELETE), left=(make_left(),)
    )
    digest = write_plan(plan, tmp_path / "new" / "folder")
    file = tmp_path / "new" / "folder" / PLAN_FILE
    assert read_plan(file) == (plan, digest)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()


@given(before=TEXTS, after=TEXTS)
def test_any_text_comes_back_and_the_file_is_ascii(
    tmp_path_factory: pytest.TempPathFactory, before: str | None, after: str | None
) -> None:
    """Line separators, control characters and emoji neither break a line nor reach a terminal."""
    step = make_step(1, Act.UPDATE)
    assert step.before is not None
    assert step.after is not None
    plan = make_plan(
        replace(step, before={**step.before, "title": before}, after={**step.after, "title": after}, fields=("title",))
    )
    folder = tmp_path_factory.mktemp("plan")
    digest = write_plan(plan, folder)
    assert read_plan(folder / PLAN_FILE) == (plan, digest)
    assert (folder / PLAN_FILE).read_bytes().isascii()


def test_it_is_json_with_one_step_on_each_line(tmp_path: Path) -> None:
    """Any tool reads the whole, and `grep` finds a key with its step."""
    plan = make_plan(make_step(1, Act.INSERT), make_step(2, Act.DELETE), left=(make_left(),))
    write_plan(plan, tmp_path)
    text = (tmp_path / PLAN_FILE).read_text()
    assert [step["number"] for step in json.loads(text)["steps"]] == [1, 2]
    assert [json.loads(line.rstrip(","))["number"] for line in text.splitlines() if '"number"' in line] == [1, 2]


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """The plan holds values of records: file 0600, folder 0700, nothing left beside it, also when it is replaced."""
    folder = tmp_path / "repair"
    write_plan(make_plan(), folder)
    (folder / PLAN_FILE).chmod(0o644)
    write_plan(make_plan(make_step(1, Act.INSERT)), folder)
    assert stat.S_IMODE((folder / PLAN_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == [PLAN_FILE]


Damage = Callable[[str], str]
DAMAGES: dict[str, Damage] = {
    "no JSON": lambda text: text[:-4],
    "something else": lambda _: "[]",
    "another format": lambda text: text.replace("plan 1", "plan 9"),
    "other white space": lambda text: text.replace(", ", ","),
    "a member more": lambda text: text.replace('"number": 1,', '"number": 1, "also": 2,', 1),
    "a member missing": lambda text: text.replace('"number": 1, ', "", 1),
    "a member twice": lambda text: text.replace('"number": 1,', '"number": 2, "number": 1,', 1),
    "an unknown act": lambda text: text.replace('"insert"', '"upsert"'),
    "a number for a text": lambda text: text.replace('"version": "3"', '"version": 3'),
    "deeply nested": lambda _: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_no_plan_is_refused(tmp_path: Path, damage: Damage) -> None:
    """A file that says anything else than what would be written is refused; the error shows no value."""
    plan = make_plan(make_step(1, Act.INSERT))
    write_plan(plan, tmp_path)
    file = tmp_path / PLAN_FILE
    text = file.read_text()
    file.write_text(damage(text))
    assert file.read_text() != text
    with pytest.raises(ConfigurationError, match="no plan of this version") as caught:
        read_plan(file)
    assert "35 mm" not in str(caught.value)


STEP = make_step(1, Act.UPDATE)
UNSOUND: dict[str, Plan] = {
    "numbers with a gap": make_plan(make_step(2, Act.INSERT)),
    "a step that needs itself": make_plan(make_step(1, Act.INSERT, needs=1)),
    "an insert over a row": make_plan(replace(STEP, act=Act.INSERT)),
    "a delete that leaves a row": make_plan(replace(STEP, act=Act.DELETE)),
    "an update of nothing": make_plan(replace(STEP, before=None)),
    "a row without a column": make_plan(replace(STEP, after={"id": "x"})),
    "a row of other columns": make_plan(replace(STEP, before={"id": "x"})),
    "a field that is no column": make_plan(replace(STEP, fields=("wage",))),
}


def line_of(step: Step) -> str:
    """Return the line of a step in the file."""
    return json.dumps({member.name: getattr(step, member.name) for member in fields(step)})


@pytest.mark.parametrize("plan", UNSOUND.values(), ids=UNSOUND)
def test_steps_that_do_not_hang_together_are_refused(tmp_path: Path, plan: Plan) -> None:
    """Numbers, acts, rows and columns must fit one another: such a plan is neither written nor read."""
    with pytest.raises(ValueError, match="hang together"):
        write_plan(plan, tmp_path)
    write_plan(make_plan(STEP), tmp_path)
    file = tmp_path / PLAN_FILE
    (unsound,) = plan.steps
    file.write_text(file.read_text().replace(line_of(STEP), line_of(unsound)))
    assert line_of(unsound) in file.read_text()
    with pytest.raises(ConfigurationError, match="no plan of this version"):
        read_plan(tmp_path / PLAN_FILE)


def test_no_file_is_said_so(tmp_path: Path) -> None:
    """A plan that is not there, or a folder that cannot be made, is said in a sentence."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_plan(tmp_path / PLAN_FILE)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_plan(make_plan(), tmp_path / "file")


def test_a_failed_write_leaves_the_plan_that_was_there(tmp_path: Path) -> None:
    """A folder in the place of the file cannot be replaced: the error is told, and nothing stays beside it."""
    (tmp_path / PLAN_FILE).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_plan(make_plan(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [PLAN_FILE]
