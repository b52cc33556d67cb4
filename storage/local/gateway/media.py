"""What form the client accepts: rows as an array, or exactly one row as an object, with or without nulls."""

from __future__ import annotations

from dataclasses import dataclass

from storage.local.gateway.refusals import Refusal

_ARRAY, _OBJECT = "application/vnd.pgrst.array", "application/vnd.pgrst.object"
_ANY = frozenset({"*/*", "application/*", "application/json", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The form of an answer.

    Attributes:
        content_type: Value of the header that names it.
        single: Whether it is one object rather than an array.
        stripped: Whether members that are null are left out.
    """

    content_type: str
    single: bool = False
    stripped: bool = False


def accepted_media(header: str | None) -> Media:
    """Return the form that the header `Accept` prefers among those that there are.

    Raises:
        Refusal: There is none among them.
    """
    ranges = [item.strip() for item in (header or "*/*").split(",")]
    for item in sorted(ranges, key=_quality, reverse=True):
        name, *parameters = (part.strip() for part in item.split(";"))
        base = name.removesuffix("+json")
        if name in _ANY:
            return Media(content_type="application/json; charset=utf-8")
        if base in {_ARRAY, _OBJECT}:
            stripped = "nulls=stripped" in parameters
            suffix = ";nulls=stripped" if stripped else ""
            content_type = f"{base}+json{suffix}; charset=utf-8"
            if base == _ARRAY and not stripped:
                content_type = "application/json; charset=utf-8"
            return Media(content_type=content_type, single=base == _OBJECT, stripped=stripped)
    message = f"None of these media types are available: {', '.join(ranges)}"
    raise Refusal(status=406, code="PGRST107", message=message)


def check_single(media: Media, rows: int) -> None:
    """Make sure that an answer in the form of one object is one row.

    Raises:
        Refusal: It is none, or several.
    """
    if media.single and rows != 1:
        raise Refusal(
            status=406,
            code="PGRST116",
            message="Cannot coerce the result to a single JSON object",
            details=f"The result contains {rows} rows",
        )


def _quality(item: str) -> float:
    for part in item.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
