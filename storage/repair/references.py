"""On which rows those of other tables hang: a plan leaves them, where a delete or another key would reach further."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql

from contracts.dataset import Dataset
from contracts.keys import join_key, split_key
from storage.replication.by_sql import SqlCall

_FOREIGN_KEYS = """
SELECT n.nspname, r.relname,
       array(SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY AS k(number, at)
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.at),
       array(SELECT a.attname FROM unnest(c.confkey) WITH ORDINALITY AS k(number, at)
             JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.at)
FROM pg_constraint AS c
JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
WHERE c.contype = 'f' AND c.confrelid = to_regclass(%s) AND c.conparentid = 0
"""


def referenced(call: SqlCall, dataset: Dataset, keys: Collection[str]) -> frozenset[str]:
    """Return, of these keys, those on which rows of other tables hang. Reads only.

    References to columns other than the key are not looked at: the door refuses what they stand against.

    Args:
        call: The store.
        dataset: The dataset.
        keys: Its keys.
    """
    if not keys:
        return frozenset()
    schema, table = dataset.tables[call.store]
    names = [column.name_in(call.store) for column in dataset.key_columns]
    found: set[str] = set()
    with call.session() as session:
        target = sql.Identifier(schema, table).as_string(session)
        for child_schema, child, columns, targets in session.execute(_FOREIGN_KEYS, [target]).fetchall():
            if sorted(targets) != sorted(names):
                continue
            ordered = [columns[targets.index(name)] for name in names]
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in ordered)
            first = sql.SQL("{}::text = ANY(%s)").format(sql.Identifier(ordered[0]))
            query = sql.SQL("SELECT DISTINCT {} FROM {} WHERE {}").format(
                texts, sql.Identifier(child_schema, child), first
            )
            rows = session.execute(query, [[split_key(dataset, key)[0] for key in keys]]).fetchall()
            found.update(join_key(row) for row in rows if None not in row)
    return frozenset(found & set(keys))
