"""Whether a table shows that its writes are captured, for those who may not ask the functions of replication."""

from __future__ import annotations

from contracts.dataset import Dataset
from contracts.vocabulary import StoreName
from storage.pg_errors import translate
from storage.session import CLIENT_ENCODING, Limits

_TRIGGERS = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
               JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = %s AND c.relname = %s AND t.tgname = 'twinstore_capture')
"""


def has_triggers(dsn: str, store: StoreName, dataset: Dataset, *, limits: Limits | None = None) -> bool:
    """Tell whether a trigger of capture is on the table, enabled or not; every role may know.

    Raises:
        TwinstoreError: The store cannot be asked.
    """
    import psycopg

    connect_s = (limits or Limits()).connect_s
    with (
        translate(store),
        psycopg.connect(
            dsn, connect_timeout=max(2, round(connect_s)), client_encoding=CLIENT_ENCODING, prepare_threshold=None
        ) as connection,
    ):
        ((found,),) = connection.execute(_TRIGGERS, dataset.tables[store]).fetchall()
        return bool(found)
