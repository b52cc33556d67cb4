"""Bodies of requests: JSON, and what it says; the database reads the text itself."""

from __future__ import annotations

import json
from typing import Any

from storage.local.gateway.exchange import Request
from storage.local.gateway.refusals import Refusal, not_covered

_OTHERS = frozenset({"text/csv", "application/x-www-form-urlencoded"})


def json_text(request: Request) -> str:
    """Return the text of a body, which must be declared as JSON or not at all.

    Raises:
        Refusal: It says that it is something else.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind in _OTHERS:
        raise not_covered(f"Bodies of type {kind}")
    if kind != "application/json":
        raise Refusal(status=400, code="PGRST102", message=f"Content-Type not acceptable: {kind}")
    return request.body.decode("utf-8", "replace")


def read_json(text: str) -> Any:
    """Return what a body says.

    Raises:
        Refusal: It is no JSON, or nested beyond measure.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise Refusal(status=400, code="PGRST102", message="Empty or invalid json") from exc


def _no_constant(text: str) -> None:
    """Refuse `NaN` and `Infinity`, which are no JSON."""
    raise ValueError(text)
