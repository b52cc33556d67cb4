"""What one request brings along, and the transaction in which it is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from storage.local.gateway.catalog import Catalog, Table
from storage.local.gateway.connections import Connections, Transaction
from storage.local.gateway.exchange import Request
from storage.local.gateway.keys import Caller
from storage.local.gateway.media import Media
from storage.local.gateway.options import Options
from storage.local.gateway.preferences import Preferences
from storage.local.gateway.refusals import Refusal

_KEPT_BACK = frozenset({"authorization", "cookie"})
_ISOLATION = "default_transaction_isolation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request, after it was found out who sends it.

    Attributes:
        request: The request, its path without the prefix.
        caller: Who sends it.
        schema: The schema in which it works.
        catalog: What is known of the database.
        preferences: How it wants to be handled.
        media: What form it accepts.
        options: Settings of the gateway.
        connections: The way to the database.
    """

    request: Request
    caller: Caller
    schema: str
    catalog: Catalog
    preferences: Preferences
    media: Media
    options: Options
    connections: Connections

    @property
    def with_body(self) -> bool:
        """Whether rows are wanted at all, which is not so for HEAD."""
        return self.request.method != "HEAD"

    @property
    def range_header(self) -> str | None:
        """The header `Range`, which counts for GET only."""
        return self.request.headers.get("range") if self.request.method == "GET" else None

    def table(self, name: str) -> Table:
        """Return a table of the schema.

        Raises:
            Refusal: The schema cache knows none of that name.
        """
        found = self.catalog.tables.get((self.schema, name))
        if found is None:
            message = f"Could not find the table '{self.schema}.{name}' in the schema cache"
            raise Refusal(status=404, code="PGRST205", message=message)
        return found

    @contextmanager
    def transaction(self, *, read_only: bool, hoisted: Mapping[str, str] | None = None) -> Iterator[Transaction]:
        """Run a transaction as the caller.

        Args:
            read_only: Whether it may change nothing.
            hoisted: Settings of the function that is called.

        Raises:
            Refusal: The database cannot be reached.
            psycopg.Error: A statement failed.
        """
        settings = {**self.catalog.role_settings.get(self.caller.role, {}), **(hoisted or {})}
        isolation = settings.pop(_ISOLATION, None)
        timezone = {} if self.preferences.timezone is None else {"timezone": self.preferences.timezone}
        values = {**self._request_settings(), **settings, **timezone}
        with self.connections.transaction(values, read_only=read_only, isolation=isolation) as transaction:
            yield transaction

    def _request_settings(self) -> dict[str, str]:
        path = dict.fromkeys((self.schema, *self.options.search_path))
        headers = {name: value for name, value in self.request.headers.items() if name not in _KEPT_BACK}
        return {
            "search_path": ", ".join('"' + name.replace('"', '""') + '"' for name in path),
            "role": self.caller.role,
            "request.jwt.claims": json.dumps(self.caller.claims),
            "request.method": self.request.method,
            "request.path": self.request.path,
            "request.headers": json.dumps(headers),
            "request.cookies": "{}",
        }
