"""Keep libraries from phoning home, from writing outside our folder, and from what a shell asks of a store's server.

To be called before they are imported.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

OFF = {
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
}
UNLESS_CHOSEN = {
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # its own 20 s are too few for a busy machine
}

OF_NO_STORE = ("PGTZ", "PGDATESTYLE")  # libpq would have every session read and write times by them


def quiet_libraries(home: Path | None) -> None:
    """Switch every library's telemetry off, and give Prefect a folder below ours unless the user chose one.

    Args:
        home: Our folder; None leaves Prefect where it is, as in a worker of Prefect, which is set up already.
    """
    os.environ.update(OFF)
    quiet_drivers()
    for name, value in UNLESS_CHOSEN.items():
        os.environ.setdefault(name, value)
    logging.getLogger("great_expectations.data_context.types.base").addFilter(_matters)
    if home is not None:
        folder = home / "prefect"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # Prefect itself would let others read its database
        os.environ.setdefault("PREFECT_HOME", str(folder))


def quiet_drivers() -> None:
    """Keep values of rows out of the log: psycopg's warnings quote the server's, and those hold them."""
    logging.getLogger("psycopg").addFilter(_never)


def plain_sessions() -> None:
    """Have servers go by their own settings in this process, which must be ours: applications wrote by those."""
    for name in OF_NO_STORE:
        os.environ.pop(name, None)


def _never(_: logging.LogRecord) -> bool:
    return False


def _matters(record: logging.LogRecord) -> bool:
    """Pass over what Great Expectations tells about its folders; it sets the level of that log itself."""
    return record.levelno >= logging.WARNING
