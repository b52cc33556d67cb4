"""Planning content at the door: what is held against the contract before any store is asked.

Beyond the contract of stored rows this refuses what one of the stores could not hold, and an id that is no canonical
UUID: what goes into one store must be able to go into the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from contracts.errors import Invalid
from contracts.planning_records import CONTENT
from contracts.planning_words import STATUS_ALIASES
from contracts.results import Checked, DualStorageResult

UUID_FORM = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LAST_INSTANT_MS = 253_402_300_799_999  # the end of the year 9999

_UUID = re.compile(UUID_FORM)
_NO_UUID = "must be a UUID in lower case with hyphens, since supabase holds nothing else"
_WAY_OF_READING = re.compile(r"constrained-|function-")
_SENTENCES = {
    # These sentences of Pydantic would show a value.
    "union_tag_invalid": "must be one of scenario, prompt, video, story, image",
    "union_tag_not_found": "must be one of scenario, prompt, video, story, image",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "string_pattern_mismatch": "must be a known status",
    "url_parsing": "must be an absolute URL",
    "url_scheme": "must be an absolute URL",
    "enum": "must be a known word",
}

Violation = tuple[str, str]


def read_content(content: object) -> dict[str, Any]:
    """Hold content against the contract, and return it as JSON values; a status is read as its canonical word.

    Args:
        content: A mapping of JSON values, or a Pydantic model of one.

    Raises:
        Invalid: It breaks the contract; the violations are listed.
    """
    body = _as_body(content)
    found = [*_by_model(body), *_beyond_model(body)]
    if found:
        raise broken(found)
    return _canonical(body)


def read_id(key: object) -> str:
    """Hold an id against the contract.

    Raises:
        Invalid: It is no canonical UUID.
    """
    if not isinstance(key, str) or not _UUID.fullmatch(key):
        raise broken([("id", _NO_UUID)])
    return key


def read_owner(owner: object) -> str | None:
    """Hold an owner against the contract; None is a guest.

    Raises:
        Invalid: It is neither None nor a canonical UUID.
    """
    if owner is None:
        return None
    if not isinstance(owner, str) or not _UUID.fullmatch(owner):
        raise broken([("userId", _NO_UUID)])
    return owner


def check_content(content: object) -> Checked:
    """Hold content against the contract, and say what is wrong instead of raising it."""
    try:
        return Checked(success=True, data=read_content(content))
    except Invalid as exc:
        return Checked(success=False, error=_joined(exc.violations))


def check_result(result: object) -> Checked:
    """Hold the result of a write against its contract, in the same way."""
    try:
        return Checked(success=True, data=DualStorageResult.model_validate(result))
    except ValidationError as exc:
        return Checked(success=False, error=_joined(violations_of(exc)))


def violations_of(exc: ValidationError) -> tuple[Violation, ...]:
    """Return what Pydantic found, each as path and sentence; no sentence shows a value."""
    found: dict[Violation, None] = {}
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        *above, last = error["loc"] or ("",)
        path, sentence = error["loc"], _SENTENCES.get(error["type"], error["msg"])
        if isinstance(last, str) and _WAY_OF_READING.match(last):  # a number may be read in two ways
            path, sentence = tuple(above), "must be a whole number, and not less than is allowed"
        found[".".join(map(str, path)), sentence.removeprefix("Value error, ")] = None
    return tuple(found)


def broken(violations: list[Violation]) -> Invalid:
    """Return the error that lists violations of the contract."""
    where = ", ".join(dict.fromkeys(path or "content" for path, _ in violations))
    what = f"The record breaks the contract: {_joined(tuple(violations))}."
    return Invalid(what, f"Correct {where}; nothing was written.", violations=tuple(violations))


def _joined(violations: tuple[Violation, ...]) -> str:
    return "; ".join(f"{path or 'content'}: {sentence}" for path, sentence in violations)


def _as_body(content: object) -> dict[str, Any]:
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json", exclude_unset=True)
    if not isinstance(content, Mapping):
        raise broken([("", "must be an object")])
    return dict(content)


def _by_model(body: dict[str, Any]) -> Iterator[Violation]:
    try:
        CONTENT.validate_python(body)
    except ValidationError as exc:
        kind = body.get("type")
        for path, sentence in violations_of(exc):
            yield path.removeprefix(f"{kind}.") if isinstance(kind, str) else path, sentence
    except RecursionError:
        yield "", "is nested too deeply"


def _beyond_model(body: dict[str, Any]) -> Iterator[Violation]:
    key = body.get("id")
    if isinstance(key, str) and key and not _UUID.fullmatch(key):
        yield "id", _NO_UUID
    title = body.get("title")
    if isinstance(title, str) and title and not title.strip():
        yield "title", "must be more than white space"
    yield from ((path, "must not hold the character NUL") for path in _with_nul(body, ""))
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping):
        yield from _of_metadata(metadata)


def _of_metadata(metadata: Mapping[str, Any]) -> Iterator[Violation]:
    for name in ("userId", "projectId"):
        value = metadata.get(name)
        if isinstance(value, str) and not _UUID.fullmatch(value):
            yield f"metadata.{name}", _NO_UUID
    created, updated = metadata.get("createdAt"), metadata.get("updatedAt")
    numbers = (int, float)
    if isinstance(created, numbers) and isinstance(updated, numbers) and created > updated:
        yield "metadata.createdAt", "must not be later than updatedAt"
    for name, value in (("createdAt", created), ("updatedAt", updated)):
        if isinstance(value, numbers) and value > LAST_INSTANT_MS:
            yield f"metadata.{name}", "must be before the year 10000"


def _with_nul(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _with_nul(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from _with_nul(inner, f"{path}.{at}")


def _canonical(body: dict[str, Any]) -> dict[str, Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return body
    known = dict(metadata)
    if "status" in known:
        known["status"] = str(STATUS_ALIASES.get(known["status"], known["status"]))
    return {**body, "metadata": known}
