"""Doors: the functions of the secondary by which a dataset is read over REST, as one script per dataset.

They are written from `storage.table_queries`, so that a digest over REST is the digest by SQL. What a door depends on
is pinned in it, as `storage.session` pins it for a connection; a door answers with one JSON value, numbers that may be
large as text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.migrations.values import Migration

STORE = StoreName.SUPABASE
PREFIX = "twinstore_"
RECORDED_AS = "doors_"
"""What the names of functions and of recorded migrations begin with; the name of the dataset follows."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")  # with prefix and door at most 63 bytes, where PostgreSQL cuts names


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One function.

    Attributes:
        name: What its name ends with, and the name of its template.
        parameters: Names and types, in order; the template refers to them by number, so that no column can be taken
            for one.
        hashes: True when it has one query per kind of hash, which is its first parameter.
    """

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    hashes: bool = True

    def signature(self, dataset: Dataset) -> str:
        """Return schema, name and types, as `regprocedure` reads them."""
        return f"public.{function_name(dataset, self.name)}({', '.join(kind for _, kind in self.parameters)})"


_KIND = ("kind", "text")
_RANGES = ("ranges", "integer[]")
_SPAN = (("low", "integer"), ("high", "integer"))

DOORS = (
    Door(name="facts", hashes=False),
    Door(name="probe", parameters=(_KIND,)),
    Door(name="sums", parameters=(_KIND, *_SPAN)),
    Door(name="pairs", parameters=(_KIND, *_SPAN, _RANGES)),
    Door(name="sketch", parameters=(_KIND, *_SPAN, _RANGES, ("cells", "integer"))),
    Door(name="find", parameters=(_KIND, *_SPAN, ("key_hashes", "text[]"))),
    Door(name="rows", parameters=(_KIND, ("keys", "jsonb"))),
    Door(name="sample", parameters=(("percent", "double precision"), ("at_most", "integer")), hashes=False),
    Door(name="rehearse", parameters=(_KIND, ("keys", "jsonb"), ("plants", "jsonb"), ("cells", "integer"))),
    Door(name="echo", parameters=(_KIND, ("given", "jsonb"))),
    Door(name="excluded", parameters=(("at_most", "integer"),), hashes=False),
    Door(name="created", parameters=(("low_ms", "bigint"), ("high_ms", "bigint")), hashes=False),
)


def function_name(dataset: Dataset, door: str) -> str:
    """Return the name of a door's function, in schema public."""
    return f"{PREFIX}{dataset.name}_{door}"


def check_name(dataset: Dataset) -> None:
    """Prove that functions can be named after a dataset.

    Raises:
        ConfigurationError: They cannot.
    """
    if not _NAME.fullmatch(dataset.name):
        raise ConfigurationError(
            f"Functions cannot be named after the dataset {dataset.name!r}.",
            "Name it with at most 40 small letters, digits and underscores, a letter first.",
        )


def doors(dataset: Dataset) -> Migration:
    """Return the script that makes the doors of a dataset, in the place of those that were there.

    The door that tells facts also tells the checksum.

    Raises:
        ConfigurationError: Functions cannot be named after the dataset.
    """
    check_name(dataset)
    from storage.migrations.door_script import UNSIGNED, script  # loads a driver

    unsigned = script(dataset)
    checksum = hashlib.sha256(unsigned.encode()).hexdigest()
    return Migration(
        name=RECORDED_AS + dataset.name, sql=unsigned.replace(UNSIGNED, checksum), checksum=checksum, repeatable=True
    )
