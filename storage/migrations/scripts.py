"""The SQL of the migrations as text: what `migrate` runs and `render` prints is the same script."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from contracts.errors import InternalFault
from contracts.registry import contract_for, known_datasets
from storage.migrations.doors import doors
from storage.migrations.replication_doors import replication
from storage.migrations.texts import text
from storage.migrations.values import Migration, Side

_NAME = re.compile(r"\d{4}_[a-z_]+")

_HEADER = """\
-- twinstore {version}: the {side} side, complete.
-- Run it as the role that shall own it, such as postgres: in the SQL editor of the project, or with psql:
--   psql -X -v ON_ERROR_STOP=1 -f FILE "$URL"
-- Every part is a transaction of its own and may be run again; one that fails leaves nothing behind.
"""


def migrations(side: Side) -> tuple[Migration, ...]:
    """Return all migrations of one side, in the order of application: numbered ones, then those of each dataset.

    Raises:
        InternalFault: A file has a name that is not `NNNN_words.sql`, or the numbers have a gap.
        ConfigurationError: Functions cannot be named after a dataset.
    """
    datasets = [contract_for(name).dataset for name in known_datasets()]
    read = [doors(dataset) for dataset in datasets] if side is Side.SECONDARY else []
    return *numbered(side), *read, *(replication(dataset, side) for dataset in datasets if dataset.replicated)


@cache
def numbered(side: Side) -> tuple[Migration, ...]:
    """Return the migrations of one side that are files, each applied once.

    Raises:
        InternalFault: A file has a name that is not `NNNN_words.sql`, or the numbers have a gap.
    """
    folder = files(__package__) / side.value
    names = sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name[:1].isdigit())
    if any(not _NAME.fullmatch(n) or int(n[:4]) != i for i, n in enumerate(names, start=1)):
        raise InternalFault(f"The migrations of the {side} side are not numbered 0001, 0002, …", "Please report it.")
    return tuple(_migration(name, text(f"{side}/{name}.sql")) for name in names)


def script(side: Side, migration: Migration) -> str:
    """Return the script of one migration without BEGIN and COMMIT: limits, lock, guards, the file, its record."""
    parts = {
        "name": migration.name,
        "checksum": migration.checksum,
        "prefix": migration.checksum[:12],
        "version": version("twinstore"),
        "unchanged": "" if migration.repeatable else text("refuse_changed.sql").strip(),
        "guard": text(f"{side}/guard.sql").strip(),
        "sql": migration.sql.strip(),
    }
    frame = text("frame.sql").replace("{{unchanged}}", parts.pop("unchanged"))
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], frame)


def render(side: Side) -> str:
    """Return the SQL that installs one side, for `psql -f`; it records itself and may be run again."""
    header = _HEADER.format(version=version("twinstore"), side=side)
    parts = (f"-- {m.name}\nBEGIN;\n{script(side, m)}COMMIT;\n" for m in migrations(side))
    return "\n".join((header, *parts))


def _migration(name: str, sql: str) -> Migration:
    return Migration(name=name, sql=sql, checksum=hashlib.sha256(sql.encode()).hexdigest())
