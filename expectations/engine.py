"""Great Expectations as we use it: loaded quietly, and shown one table that it may only read."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from expectations.connections import Connections

if TYPE_CHECKING:
    import sqlalchemy
    from great_expectations.datasource.fluent.interfaces import Batch

_QUIET = threading.Lock()  # warnings are switched off for the process, by one thread at a time
_ADD = {"postgresql": "add_postgres", "sqlite": "add_sqlite"}


def load_gx() -> Any:
    """Import Great Expectations, which takes some seconds, without telemetry, warnings of its own or log lines."""
    with _QUIET, warnings.catch_warnings():
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports modules that Python deprecates
        import great_expectations as gx
        import great_expectations.expectations

        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # it logs what it also returns
        return gx


@contextmanager
def open_batch(gx: Any, source: Connections, schema: str | None, table: str) -> Iterator[Batch]:
    """Hand a table to Great Expectations: in memory, without files, progress bars or temporary tables.

    It is handed over as a query, since the name of a table would get into our queries without quotes.
    """
    import sqlalchemy as sa

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    datasource = getattr(context.data_sources, _ADD[source.dialect.name])(
        "twinstore",
        connection_string=source.standin,
        create_temp_table=False,
        kwargs={"creator": source.connect},
    )
    name = source.engine.dialect.identifier_preparer.format_table(sa.table(table, schema=schema))
    query = f"SELECT * FROM {name}"  # noqa: S608 - quoted above
    engine = datasource.get_execution_engine()
    _take_names_only(engine.engine, query)
    source.limit(engine.engine)
    asset = datasource.add_query_asset("twinstore", query=query)
    batch: Batch = asset.get_batch(asset.build_batch_request())
    try:
        yield batch
    finally:
        engine.close()


def _take_names_only(engine: sqlalchemy.Engine, query: str) -> None:
    """Keep Great Expectations from pulling a table when it asks a query for its columns: it runs the query as it is."""
    import sqlalchemy as sa

    def without_rows(*call: Any) -> tuple[str, Any]:
        _, _, statement, parameters, *_ = call
        asks_for_all = statement.replace("%%", "%") == query
        return f"{statement} LIMIT 0" if asks_for_all else statement, parameters

    sa.event.listen(engine, "before_cursor_execute", without_rows, retval=True)
