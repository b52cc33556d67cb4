"""The table of docs/settings.md, made from the settings: `python -m tests.support.settings_page` prints it."""

from __future__ import annotations

import inspect
import re

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from contracts.vocabulary import Channel
from flows.settings import Settings

BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "max_length": "characters, at most"}


def variables() -> dict[str, str]:
    """Return the name in the environment of every setting, by the name in the code."""
    return {name: str(field.validation_alias) for name, field in Settings.model_fields.items()}


def table() -> str:
    """Return the table: one row per setting, in the order of the code."""
    meanings = dict(re.findall(r"^\s*(\w+): (.+)$", inspect.getdoc(Settings) or "", re.MULTILINE))
    rows = [
        f"| `{variables()[name]}` | {_default(field)} | {_limits(field)} | {meanings[name]} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | limits | meaning |", "|---|---|---|---|", *rows])


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else f'{value:g}' if isinstance(value, float) else value}`"


def _limits(field: FieldInfo) -> str:
    limits = [
        f"{words} {getattr(bound, name):g}"
        for bound in field.metadata
        for name, words in BOUNDS.items()
        if hasattr(bound, name)
    ]
    if field.annotation is bool:
        limits.append("true, false")
    if Channel.__name__ in str(field.annotation):
        limits += list(Channel)
    if SecretStr.__name__ in str(field.annotation):
        limits.append("secret")
    return ", ".join(limits)


if __name__ == "__main__":
    print(table())  # noqa: T201 - what it is for
