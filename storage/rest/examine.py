"""Prove over REST, before anything is concluded, that a table can be read as its dataset declares it."""

from __future__ import annotations

from contracts.dataset import Column, Dataset
from contracts.errors import Refused, SchemaMismatch
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel
from storage.rest.client import RestClient
from storage.rest.table import RestTable
from storage.supabase_keys import ApiKey, read_key

TYPES_UNSEEN = "over REST rows alone neither the types of columns can be seen, nor a view in the place of the table"


def examine(client: RestClient, dataset: Dataset, key: str) -> StoreFacts:
    """Ask for every column of the table; at most one row is read.

    Args:
        client: The connection.
        dataset: The dataset.
        key: The key with which the connection was made.

    Raises:
        Unavailable: The project cannot be reached.
        Refused: It does not accept the key, or a grant is missing.
        SchemaMismatch: The table or a column is missing.
    """
    api_key = read_key(key)
    table = ".".join(dataset.tables[client.store])
    try:
        RestTable(client, dataset, dataset.columns).probe()
    except SchemaMismatch:
        _name_what_is_missing(client, dataset, table)
        raise
    except Refused as exc:
        raise _with_grant(exc, api_key, table) from None
    return StoreFacts(
        store=client.store,
        channel=Channel.ROWS,
        reachable=True,
        table=table,
        sees_all_rows=api_key.sees_all_rows,
        note=TYPES_UNSEEN if api_key.sees_all_rows else f"row level security may hide rows from {api_key.called}",
    )


def _name_what_is_missing(client: RestClient, dataset: Dataset, table: str) -> None:
    """Ask for the columns one by one.

    Raises:
        SchemaMismatch: The first column that is missing, or the table where none is there.
    """
    missing = [column for column in dataset.columns if not _is_there(client, dataset, column)]
    if not missing:
        return
    if len(missing) == len(dataset.columns):
        raise SchemaMismatch(
            f"The REST API of {client.store} has no table {table}.",
            "Run `twinstore migrate`, expose its schema, and after a migration run there: "
            "NOTIFY pgrst, 'reload schema';",
            store=client.store,
        )
    names = ", ".join(column.name_in(client.store) for column in missing)
    raise SchemaMismatch(
        f"{table} on {client.store} has no column {names}, or its API does not know of it yet.",
        "Run `twinstore migrate`, and run there: NOTIFY pgrst, 'reload schema';",
        store=client.store,
    )


def _is_there(client: RestClient, dataset: Dataset, column: Column) -> bool:
    try:
        RestTable(client, dataset, (column,)).probe()
    except SchemaMismatch:
        return False
    return True


def _with_grant(exc: Refused, key: ApiKey, table: str) -> Refused:
    """Say which grant would help, where one would."""
    if "42501" not in exc.what:
        return exc
    return Refused(
        f"{exc.store} does not let {key.called} read {table}.",
        f"Run there: GRANT SELECT ON {table} TO {key.role or 'service_role'};",
        store=exc.store,
    )
