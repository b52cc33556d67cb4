"""How a role writes of itself: by its own settings, for which triggers and expressions of an application were made.

Ours read and compare by settings that nobody bends (`storage.session`). What is written, and what fires then, goes by
those that the role would have without us: a time zone decides which day a generated column holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.session import PINNED

if TYPE_CHECKING:
    import psycopg

_GIVEN_BACK = sorted(PINNED.keys() - {"row_security", "jit"})  # a row that is hidden from us stays an error
_OURS = {name: PINNED[name] for name in _GIVEN_BACK}
_ASK = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.unnest(%s::text[]) AS name"
_SET = "SELECT pg_catalog.set_config(key, value, true) FROM pg_catalog.jsonb_each_text(%s)"


def manner_of(connection: psycopg.Connection[Any]) -> Mapping[str, str]:
    """Return the settings that a role has of itself; to be asked before a transaction of ours begins."""
    return dict(connection.execute(_ASK, [_GIVEN_BACK]).fetchall())


@contextmanager
def writing_as(connection: psycopg.Connection[Any], manner: Mapping[str, str]) -> Iterator[None]:
    """Run the block by the settings of the role, and what follows by ours; after an error a rollback sees to that."""
    _set(connection, manner)
    yield
    _set(connection, _OURS)


def _set(connection: psycopg.Connection[Any], settings: Mapping[str, str]) -> None:
    from psycopg.types.json import Jsonb

    connection.execute(_SET, [Jsonb(dict(settings))])
