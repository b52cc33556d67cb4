"""The planning contract over JSON: every content body and every metadata object is read by its Pydantic model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from contracts.planning_records import METADATA, JsonCheck, json_checks

IS_OBJECT = "planning.content_is_object"
VALID = "planning.content_valid"
ID_MATCHES = "planning.content_id_matches"
TYPE_MATCHES = "planning.content_type_matches"
BODY_RULES = (IS_OBJECT, VALID, ID_MATCHES, TYPE_MATCHES)
METADATA_VALID = "planning.metadata_valid"

_READERS = json_checks()


def judge_bodies(
    keys: Iterable[str | None], kinds: Iterable[str | None], bodies: Iterable[str | None]
) -> dict[str, list[int]]:
    """Judge the content bodies of some rows.

    A body that is no object breaks `content_is_object` and nothing else. A row of an unknown type is not held against
    the fields of any type. An id or type inside that is merely another one breaks the rule about it, not
    `content_valid`; a body that is nested too deeply to be read breaks `content_valid` only.

    Args:
        keys: Ids of the rows, as text.
        kinds: Their types; NULL is left to another rule.
        bodies: Their content as JSON text; NULL is left to another rule.

    Returns:
        Per rule of `BODY_RULES`, the positions of the rows that break it.

    Raises:
        ValueError: A body is not JSON, which no JSON column can hold.
    """
    broken: dict[str, list[int]] = {rule: [] for rule in BODY_RULES}
    for position, (key, kind, body) in enumerate(zip(keys, kinds, bodies, strict=True)):
        if body is None:
            continue
        reader = _READERS.get(kind or "")
        try:
            if reader is not None and reader(body).id == key:
                continue
        except ValidationError:
            pass
        for rule in _broken_rules(key, kind, body):
            broken[rule].append(position)
    return broken


def judge_metadata(texts: Iterable[str | None]) -> dict[str, list[int]]:
    """Judge the metadata of some rows: NULL, or an object as `PlanningMetadata` has it.

    Returns:
        The positions of the rows that break `planning.metadata_valid`.
    """
    read = METADATA.validator.validate_json
    broken: list[int] = []
    for position, text in enumerate(texts):
        if text is not None and not _fits(read, text):
            broken.append(position)
    return {METADATA_VALID: broken}


def _broken_rules(key: str | None, kind: str | None, body: str) -> list[str]:
    try:
        parsed = from_json(body)
    except ValueError as exc:
        if "recursion limit" not in str(exc):
            raise
        return [VALID if body.lstrip().startswith("{") else IS_OBJECT]
    if not isinstance(parsed, dict):
        return [IS_OBJECT]
    broken: list[str] = []
    if kind in _READERS and not _valid(kind, parsed, body):
        broken.append(VALID)
    if key is not None and parsed.get("id") != key:
        broken.append(ID_MATCHES)
    if kind is not None and parsed.get("type") != kind:
        broken.append(TYPE_MATCHES)
    return broken


def _valid(kind: str | None, parsed: Mapping[str, Any], body: str) -> bool:
    """Tell whether a body fits the type of its row, or the type that it claims itself where that is another one."""
    claimed = parsed.get("type")
    if not isinstance(claimed, str):
        return False
    if claimed in _READERS and _fits(_READERS[claimed], body):
        return True
    return kind != claimed and _fits(_READERS[str(kind)], to_json({**parsed, "type": kind}).decode())


def _fits(read: JsonCheck, text: str) -> bool:
    try:
        read(text)
    except ValidationError:
        return False
    return True
