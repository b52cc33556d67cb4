"""One vector: a request, what PostgREST's documentation says comes back, and the page that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

UNSAID: Any = object()
"""Stands for a body or result about which the vector says nothing."""


class Who(StrEnum):
    """Who sends a request."""

    SERVICE = "service"
    ANON = "anon"
    NOBODY = "nobody"  # without any key


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One request and its answer.

    Attributes:
        page: The page of PostgREST's documentation that says so, below `https://docs.postgrest.org/en/stable/`.
        request: Method, path below `/rest/v1/` and query, as `GET tv_people?id=eq.1`; blanks may stand in the query.
        status: Status of the answer.
        who: Whose keys are sent.
        claims: Claims of a token of its own instead of that of the key; times count from now.
        headers: Further headers of the request; `Authorization` and `apikey` may be replaced.
        sends: The body: anything that JSON can say; a text or bytes are sent as they are.
        body: The body of the answer as JSON, or UNSAID; None stands for an empty one.
        code: `code` of an error.
        says: Headers of the answer; None where one must be missing.
        then: A further read with the service key, and what it must return.
    """

    page: str
    request: str
    status: int = 200
    who: Who = Who.SERVICE
    claims: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sends: Any = None
    body: Any = UNSAID
    code: str | None = None
    says: Mapping[str, str | None] = field(default_factory=dict)
    then: tuple[str, Any] | None = None

    @property
    def negative(self) -> bool:
        """Whether the request is refused."""
        return self.status >= 400

    @property
    def changes(self) -> bool:
        """Whether the request may change rows."""
        return not self.request.startswith(("GET", "HEAD", "OPTIONS"))

    def __str__(self) -> str:
        return self.request[:90]
