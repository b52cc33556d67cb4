"""What an application does to many planning records at once, by one statement: work for a relay."""

from __future__ import annotations

from contracts.vocabulary import StoreName
from storage.pg_errors import translate

_SIXTEENTH = "left(md5(id::text), 1) = '0'"  # the same rows on both stores
_ALL_BUT = f"UPDATE public.planning SET version = coalesce(version, 0) + 1 WHERE NOT {_SIXTEENTH}"  # noqa: S608 - a part of ours
_ONLY = f"UPDATE public.planning SET version = coalesce(version, 0) + 1 WHERE {_SIXTEENTH}"  # noqa: S608 - a part of ours


_SPOIL = "UPDATE public.planning SET title = left(title, 400) || '.', updated_at = updated_at RETURNING id::text"


def spoil(dsn: str) -> list[str]:
    """Give every record of a store another title, by one statement; return their keys.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    import psycopg

    with translate(StoreName.SUPABASE), psycopg.connect(dsn) as connection:
        return [key for (key,) in connection.execute(_SPOIL).fetchall()]


def write_everywhere(primary_dsn: str, secondary_dsn: str) -> int:
    """Write every record once, by one statement on each store: fifteen of sixteen on the primary, the rest beside it.

    Returns:
        The number of rows that were written.

    Raises:
        Unavailable: A store cannot be reached.
        Refused: It refuses us.
    """
    return _run(StoreName.PRISMA, primary_dsn, _ALL_BUT) + _run(StoreName.SUPABASE, secondary_dsn, _ONLY)


def _run(store: StoreName, dsn: str, statement: str) -> int:
    import psycopg

    with translate(store), psycopg.connect(dsn) as connection:
        return connection.execute(statement.encode()).rowcount
