"""Refusals in PostgREST's shape: a status, and a body of code, message, details and hint.

Errors of the database pass through with their own code; the table below gives each its status.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.local.gateway.exchange import JSON, Response

if TYPE_CHECKING:
    from psycopg import Error
    from psycopg.errors import Diagnostic

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN = 400, 401, 403
_STATUS = {  # by SQLSTATE or the longest beginning of one
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "21": 500,
    "23503": 409,
    "23505": 409,
    "25": 500,
    "25006": 405,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
    "53": 503,
    "53400": 500,
    "54": 500,
    "55": 500,
    "57": 500,
    "57P01": 503,
    "58": 500,
    "F0": 500,
    "HV": 500,
    "P0": 500,
    "P0001": 400,
    "XX": 500,
}


@dataclass(slots=True, kw_only=True, eq=False)
class Refusal(Exception):
    """A request that is not served.

    Attributes:
        status: HTTP status.
        code: `PGRST...` or an SQLSTATE.
        message: What is wrong.
        details: More about it, if there is more.
        hint: What to do, if that is known.
        headers: Further headers of the response.
    """

    status: int
    code: str
    message: str
    details: str | None = None
    hint: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def response(self, *, body: bool = True) -> Response:
        """Return it as a response; without a body for HEAD, where the header still names the code."""
        content = {"code": self.code, "details": self.details, "hint": self.hint, "message": self.message}
        return Response(
            status=self.status,
            headers=(("Content-Type", JSON), ("Proxy-Status", f"PostgREST; error={self.code}"), *self.headers),
            body=json.dumps(content, ensure_ascii=False).encode(errors="replace") if body else b"",
        )


def not_covered(what: str) -> Refusal:
    """Return the refusal of something that PostgREST can do and this gateway cannot."""
    return Refusal(status=400, code="PGRST127", message="Feature not implemented", details=what)


def unparsed(parameter: str, text: str, details: str) -> Refusal:
    """Return the refusal of a query parameter that does not follow the grammar."""
    return Refusal(status=400, code="PGRST100", message=f'"failed to parse {parameter} ({text})"', details=details)


def from_database(error: Error, *, authenticated: bool) -> Refusal:
    """Return the refusal that stands for an error of the database.

    Args:
        error: What the driver raised.
        authenticated: Whether the request had a role of its own: a missing grant is then 403, else 401.
    """
    if error.sqlstate is None:
        return Refusal(
            status=503, code="PGRST001", message="Database client error. Retrying the connection.", details=str(error)
        )
    if error.sqlstate == "PGRST":
        return _raised(error.diag)
    message = error.diag.message_primary or ""
    status = _status(error.sqlstate, message, authenticated=authenticated)
    return Refusal(
        status=status,
        code=error.sqlstate,
        message=message,
        details=error.diag.message_detail,
        hint=error.diag.message_hint,
        headers=(("WWW-Authenticate", "Bearer"),) if status == _UNAUTHORIZED else (),
    )


def _status(state: str, message: str, *, authenticated: bool) -> int:
    if state == "42501":
        return _FORBIDDEN if authenticated else _UNAUTHORIZED
    if state.startswith("PT"):  # RAISE with a status of one's own
        return int(state[2:]) if state[2:].isdigit() else 500
    if state == "22023" and message.startswith("role") and message.endswith("does not exist"):
        return _UNAUTHORIZED
    return _STATUS.get(state, _STATUS.get(state[:2], _BAD_REQUEST))


def _raised(diagnostic: Diagnostic) -> Refusal:
    """Return what a function raised with SQLSTATE `PGRST`: body and status as JSON in message and detail."""
    try:
        content, shape = json.loads(diagnostic.message_primary or ""), json.loads(diagnostic.message_detail or "")
        return Refusal(
            status=int(shape["status"]),
            code=content["code"],
            message=content["message"],
            details=content.get("details"),
            hint=content.get("hint"),
            headers=tuple(shape["headers"].items()),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
        return Refusal(status=500, code="PGRST121", message=message)
