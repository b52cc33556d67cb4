"""Whether rows lie in a table of one server as they do in a table of another one, after they were copied there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contracts.errors import Conflict
from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.comparing import row_text
from storage.backup.contents import frozen
from storage.backup.drill import LIMITS
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from storage.backup.copies import Copied


def require_as_sent(copy: Copied) -> None:
    """Refuse a copy whose types, or whose server, do not hold every value as it was.

    Raises:
        Conflict: It is such a copy.
        TwinstoreError: A server does not answer.
    """
    from psycopg import sql

    rows, store = copy.rows, copy.store
    source = sql.Identifier(*rows.source)
    with frozen(rows.scratch.superuser, store, LIMITS) as scratch:

        def alike(columns: Sequence[str]) -> bool:
            sent = _digest(scratch, store, source, columns)
            return sent == _digest(copy.connection, store, copy.names["copied"], columns)

        if alike(rows.columns):
            return
        apart = next((name for name in rows.columns if not alike([name])), "rows")
    raise Conflict(
        f"{'.'.join(copy.table)} on {store} would not hold every value that the backup has in {apart}. "
        "Nothing was changed.",
        "Bring the table to the version of the backup first.",
        store=store,
    )


def _digest(
    connection: psycopg.Connection[Any], store: StoreName, table: sql.Composable, columns: Sequence[str]
) -> tuple[Any, ...] | None:
    from psycopg import sql

    query = sql.SQL(statements.DIGEST).format(table=table, row=row_text("t", columns))
    with translate(store):
        return connection.execute(query).fetchone()
