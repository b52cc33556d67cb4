"""The functions of both stores by which a dataset is captured and replicated, as one script per dataset and side.

Both sides have the same functions but two: the primary judges, the secondary applies. On the primary they lie in schema
`twinstore`, on the secondary in `public`, where a REST API finds them. What they mean to one another is the protocol of
`docs/replication.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from contracts.dataset import Dataset
from storage.migrations.doors import PREFIX
from storage.migrations.values import Migration, Side

RECORDED_AS = "replication_"
"""What the names of recorded migrations begin with; the name of the dataset follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationDoor:
    """One function that returns one JSON value.

    Attributes:
        name: What its name ends with, and the name of its template.
        parameters: Names and types, in order; templates refer to them by number.
        reads: True when it only reads.
        sides: The sides that have it.
    """

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    reads: bool = False
    sides: tuple[Side, ...] = tuple(Side)

    def function(self, dataset: Dataset, side: Side) -> tuple[str, str]:
        """Return schema and name on a side."""
        if side is Side.PRIMARY:
            return "twinstore", f"{dataset.name}_{self.name}"
        return "public", f"{PREFIX}{dataset.name}_{self.name}"

    def signature(self, dataset: Dataset, side: Side) -> str:
        """Return schema, name and types, as `regprocedure` reads them."""
        return f"{'.'.join(self.function(dataset, side))}({', '.join(kind for _, kind in self.parameters)})"


REPLICATION_DOORS = {
    door.name: door
    for door in (
        ReplicationDoor(name="capture", parameters=(("wanted", "boolean"), ("beyond", "bigint"), ("adopting", "uuid"))),
        ReplicationDoor(name="standing", parameters=(("heard", "jsonb"),), reads=True),
        ReplicationDoor(name="glance", parameters=(("heard", "jsonb"),), reads=True),
        ReplicationDoor(name="changes", parameters=(("after", "bigint"), ("at_most", "integer")), reads=True),
        ReplicationDoor(name="look", parameters=(("keys", "jsonb"),), reads=True),
        ReplicationDoor(name="settle", parameters=(("acks", "jsonb"),)),
        ReplicationDoor(name="judge", parameters=(("items", "jsonb"),), sides=(Side.PRIMARY,)),
        ReplicationDoor(name="apply", parameters=(("items", "jsonb"),), sides=(Side.SECONDARY,)),
        ReplicationDoor(name="put", parameters=(("request", "jsonb"),)),
        ReplicationDoor(name="mend", parameters=(("request", "jsonb"),)),
        ReplicationDoor(
            name="page", parameters=(("filters", "jsonb"), ("place", "jsonb"), ("at_most", "integer")), reads=True
        ),
    )
}
"""All of them by name."""


def doors_of(side: Side) -> tuple[ReplicationDoor, ...]:
    """Return the functions that a side has."""
    return tuple(door for door in REPLICATION_DOORS.values() if side in door.sides)


def replication(dataset: Dataset, side: Side) -> Migration:
    """Return the script that makes the functions of a dataset on one side, in the place of those that were there.

    Raises:
        ConfigurationError: A name would end the body of a function.
    """
    from storage.migrations.doors import check_name
    from storage.migrations.replication_script import UNSIGNED, script  # loads a driver

    check_name(dataset)
    unsigned = script(dataset, side)
    checksum = hashlib.sha256(unsigned.encode()).hexdigest()
    return Migration(
        name=RECORDED_AS + dataset.name, sql=unsigned.replace(UNSIGNED, checksum), checksum=checksum, repeatable=True
    )
