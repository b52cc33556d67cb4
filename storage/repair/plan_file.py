"""The file of a plan: valid JSON with one step on each line, ASCII only, bound by the SHA-256 of its bytes.

There is one text for each plan. A file that says anything else than what `write_plan` would write is damaged: what was
reviewed and approved is then not what would be done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from contracts.errors import ConfigurationError
from contracts.repair import Act, Header, Left, Plan, Step
from contracts.repair.plan import Texts
from storage.files import write_private

PLAN_FILE = "plan.json"
FORMAT = "twinstore repair plan 1"

_ANEW = "Make a new plan with `twinstore repair plan`."


def write_plan(plan: Plan, folder: Path) -> str:
    """Write a plan to `plan.json` in a folder, readable by its owner only, at once or not at all.

    Args:
        plan: The plan.
        folder: The folder of the repair; made where it is missing.

    Returns:
        The SHA-256 of the file in hexadecimal digits: what is approved.

    Raises:
        ConfigurationError: The file cannot be written.
        ValueError: Its steps do not hang together, so that `read_plan` would refuse it.
    """
    if _wrong(plan):
        raise ValueError("The steps of the plan do not hang together.")
    data = _text(plan).encode("ascii")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / PLAN_FILE, data)
    except OSError as exc:
        raise ConfigurationError(
            f"The plan cannot be written to {folder}: {exc.strerror}.", "Set TWINSTORE_HOME to a folder of your own."
        ) from exc
    return hashlib.sha256(data).hexdigest()


def read_plan(file: Path) -> tuple[Plan, str]:
    """Read a plan and the SHA-256 of its file.

    Raises:
        ConfigurationError: There is no such file, or it is no plan, or damaged. The error shows no value.
    """
    try:
        data = file.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"The plan {file} cannot be read: {exc.strerror}.", _ANEW) from exc
    plan = _plan(data)
    if plan is None or _wrong(plan) or _text(plan).encode("ascii") != data:
        raise ConfigurationError(f"The file {file} is no plan of this version, or it was changed.", _ANEW)
    return plan, hashlib.sha256(data).hexdigest()


def _text(plan: Plan) -> str:
    return (
        f'{{\n"format": {_line(FORMAT)},\n"header": {_line(_members(plan.header))},\n'
        f'"steps": [{_lines(plan.steps)}],\n"left": [{_lines(plan.left)}]\n}}\n'
    )


def _lines(items: Iterable[Step | Left]) -> str:
    lines = ",\n".join(_line(_members(item)) for item in items)
    return f"\n{lines}\n" if lines else ""


def _members(item: Header | Step | Left) -> dict[str, Any]:
    return {member.name: getattr(item, member.name) for member in fields(item)}


def _line(value: object) -> str:
    return json.dumps(value, default=datetime.isoformat)


def _plan(data: bytes) -> Plan | None:
    """Read the members of a plan; None where they are not those of one."""
    try:
        found = json.loads(data)
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            return None
        plan: Plan = _reader().validate_python(found)
    except (ValueError, RecursionError):  # what Pydantic raises is a ValueError, too
        return None
    return plan


@cache
def _reader() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)


def _wrong(plan: Plan) -> bool:
    """Tell whether steps do not hang together, so that no program made them."""
    columns = set(plan.header.columns)
    return any(
        step.number != place
        or (step.needs is not None and not 0 < step.needs < place)
        or (step.before is None, step.after is None) != _ABSENT[step.act]
        or not _whole(step.before, columns)
        or not _whole(step.after, columns)
        or not columns.issuperset(step.fields)
        for place, step in enumerate(plan.steps, 1)
    )


_ABSENT = {Act.INSERT: (True, False), Act.UPDATE: (False, False), Act.DELETE: (False, True)}
"""Per act, whether there is no row before, and none after."""


def _whole(row: Texts | None, columns: set[str]) -> bool:
    return row is None or row.keys() == columns
