"""What comes in and what goes out, as values: everything between them is plain, synchronous code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        method: In upper case.
        path: Decoded, with its leading slash.
        query: What follows the question mark, still encoded.
        headers: By lower-case name; values of a repeated one are joined by commas.
        body: All of it.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameters(self) -> list[tuple[str, str]]:
        """Return names and values of the query in their order, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response.

    Attributes:
        status: Its status code.
        headers: Names and values; the length of the body is not among them.
        body: All of it; empty for HEAD.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
