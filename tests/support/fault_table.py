"""The table of faults: what happens to a store, where, and what the caller sees. `docs/results.md` has the same one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from contracts.vocabulary import StoreName
from tests.support.faulty_proxy import Fault as HttpFault
from tests.support.tcp_proxy import Fault

PRISMA, SUPABASE = StoreName
VERBS = {"save": "created", "update": "updated", "delete": "deleted"}
READS = ("get", "list")


class Way(StrEnum):
    """How the secondary is reached; the primary always by SQL."""

    SQL = "SQL"
    REST = "REST"


class Place(StrEnum):
    """Which store a fault meets, and what it is asked to do."""

    PRIMARY = "the primary"
    BESIDE = "the secondary, beside the primary"
    INSTEAD = "the secondary, while the primary is away"


class At(StrEnum):
    """Where a fault begins."""

    CALL = "any call"
    WRITE = "the write"
    COMMIT = "the acknowledgement"


class Sees(StrEnum):
    """What the caller sees; `docs/results.md` explains the words."""

    NOT = ""
    SERVED = "served"
    FALLBACK = "fallback"
    LACKING = "lacking"
    RAISED = "raised"
    FULL = "full"
    OWED = "owed"
    INSTEAD = "instead"
    SAME_AGAIN = "same again"
    FAILED = "failed"
    UNKNOWN = "unknown"


_AWAY = {
    Place.PRIMARY: (Sees.FALLBACK, Sees.INSTEAD),
    Place.BESIDE: (Sees.LACKING, Sees.OWED),
    Place.INSTEAD: (Sees.RAISED, Sees.FAILED),
}
_OVER_REST = {
    Place.PRIMARY: (Sees.NOT, Sees.NOT),
    Place.BESIDE: _AWAY[Place.BESIDE],
    Place.INSTEAD: _AWAY[Place.INSTEAD],
}
_WELL = {
    Place.PRIMARY: (Sees.SERVED, Sees.FULL),
    Place.BESIDE: (Sees.SERVED, Sees.FULL),
    Place.INSTEAD: (Sees.FALLBACK, Sees.INSTEAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes:
        name: What happens, as the documentation says it.
        at: Where it begins.
        sees: What the caller sees, of reads and of writes; of a write alone where only writes are concerned.
        fault: What the proxy does; a fault of HTTP where only the secondary over REST can meet it.
        says: What the error of the store says, by each way over which this happens to the secondary.
        then: What happens to all connections afterwards.
        arrives: Ways over which the write is carried out all the same.
        hangs: True when somebody has to lose patience.
        slow_s: How long answers are held back.
    """

    name: str
    at: At = At.CALL
    sees: dict[Place, tuple[Sees, Sees]]
    fault: Fault | HttpFault
    says: dict[Way, str]
    then: Fault | None = None
    arrives: tuple[Way, ...] = ()
    hangs: bool = False
    slow_s: float = 0.02

    @property
    def ways(self) -> tuple[Way, ...]:
        """Over which ways it happens to the secondary."""
        return tuple(self.says)

    @property
    def markdown(self) -> str:
        """The row as the documentation has it."""
        cells = [
            f"{read}, {write}" if self.at is At.CALL and read is not write else write
            for read, write in self.sees.values()
        ]
        return f"| {self.name} | {', '.join(self.ways)} | {' | '.join(cells)} |"


def _write(primary: Sees, beside: Sees, instead: Sees) -> dict[Place, tuple[Sees, Sees]]:
    return {place: (Sees.NOT, seen) for place, seen in zip(Place, (primary, beside, instead), strict=True)}


_GONE = r"cannot be reached"
_SILENT = r"did not answer in time|cannot be reached"
_CLOSED = r"closed the connection before its answer was complete"
_NOBODY = r"went away while it was writing, and nobody can say"
_SQL, _REST = (Way.SQL,), (Way.REST,)

TABLE = (
    Row(
        name="it refuses connections",
        sees=_AWAY,
        fault=Fault.REFUSED,
        says={Way.SQL: _GONE, Way.REST: "its host does not accept connections"},
    ),
    Row(
        name="a black hole: nothing comes through, nothing is closed",
        sees=_AWAY,
        fault=Fault.BLACK_HOLE,
        says=dict.fromkeys(Way, _SILENT),
        hangs=True,
    ),
    Row(name="it answers slowly, within the limits", sees=_WELL, fault=Fault.SLOW, says=dict.fromkeys(Way, "")),
    Row(
        name="it answers more slowly than the limits allow",
        sees=_AWAY,
        fault=Fault.SLOW,
        says=dict.fromkeys(Way, _SILENT),
        hangs=True,
        arrives=_REST,
        slow_s=3.5,
    ),
    Row(
        name="the connection breaks in the middle of an answer",
        sees=_AWAY,
        fault=Fault.RESET_MIDWAY,
        says={Way.SQL: _GONE, Way.REST: _CLOSED},
        arrives=_REST,
    ),
    Row(
        name="something else answers in its place",
        sees=_AWAY,
        fault=Fault.NOT_POSTGRES,
        says={Way.SQL: _GONE},
    ),
    Row(name="it has no connection left (53300)", sees=_AWAY, fault=Fault.FULL, says={Way.SQL: _GONE}),
    Row(
        name="429 with `Retry-After`",
        sees=_OVER_REST,
        fault=HttpFault.TOO_MANY,
        says={Way.REST: r"too busy to answer \(status 429\)"},
    ),
    Row(
        name="503 with `Retry-After`",
        sees=_OVER_REST,
        fault=HttpFault.BUSY,
        says={Way.REST: r"too busy to answer \(status 503, code PGRST000\)"},
    ),
    Row(
        name="502 with HTML",
        sees=_OVER_REST,
        fault=HttpFault.BAD_GATEWAY,
        says={Way.REST: r"What stands before supabase cannot reach it \(status 502\)"},
        arrives=_REST,
    ),
    Row(
        name="200 with HTML",
        sees=_OVER_REST,
        fault=HttpFault.HTML,
        says={Way.REST: "answered with something other than JSON"},
        arrives=_REST,
    ),
    Row(
        name="200 with half of the JSON",
        sees=_OVER_REST,
        fault=HttpFault.HALF_JSON,
        says={Way.REST: "did not answer with JSON"},
        arrives=_REST,
    ),
    Row(
        name="the connection is reset before the write passes",
        at=At.WRITE,
        sees=_write(Sees.INSTEAD, Sees.OWED, Sees.FAILED),
        fault=Fault.RESET_BEFORE,
        says={Way.SQL: _GONE},
    ),
    Row(
        name="the connection is reset before the write passes",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.RESET_BEFORE,
        says={Way.REST: _CLOSED},
    ),
    Row(
        name="it is reset in the middle of the answer to the write",
        at=At.WRITE,
        sees=_write(Sees.INSTEAD, Sees.OWED, Sees.FAILED),
        fault=Fault.RESET_MIDWAY,
        says={Way.SQL: _GONE},
    ),
    Row(
        name="it is reset in the middle of the answer to the write",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.RESET_MIDWAY,
        says={Way.REST: _CLOSED},
        arrives=_REST,
    ),
    Row(
        name="a black hole at the write",
        at=At.WRITE,
        sees=_write(Sees.INSTEAD, Sees.OWED, Sees.FAILED),
        fault=Fault.BLACK_HOLE,
        says={Way.SQL: "did not answer in time"},
        hangs=True,
    ),
    Row(
        name="the connection is reset before COMMIT passes",
        at=At.COMMIT,
        sees=_write(Sees.INSTEAD, Sees.OWED, Sees.FAILED),
        fault=Fault.RESET_BEFORE,
        says={Way.SQL: _GONE},
    ),
    Row(
        name="it is reset before COMMIT passes, and the store is gone",
        at=At.COMMIT,
        sees=_write(Sees.SAME_AGAIN, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.RESET_BEFORE,
        says={Way.SQL: f"{_NOBODY}|{_GONE}"},
        then=Fault.REFUSED,
        hangs=True,
    ),
    Row(
        name="a black hole from COMMIT on, which does not pass",
        at=At.COMMIT,
        sees=_write(Sees.SAME_AGAIN, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.BLACK_HOLE,
        says={Way.SQL: f"{_NOBODY}|did not answer in time"},
        then=Fault.BLACK_HOLE,
        hangs=True,
    ),
    Row(
        name="the acknowledgement of COMMIT is lost",
        at=At.COMMIT,
        sees=_write(Sees.FULL, Sees.OWED, Sees.INSTEAD),
        fault=Fault.ANSWER_LOST,
        says={Way.SQL: _GONE},
        arrives=_SQL,
    ),
    Row(
        name="the acknowledgement of COMMIT never comes",
        at=At.COMMIT,
        sees=_write(Sees.FULL, Sees.OWED, Sees.INSTEAD),
        fault=Fault.ANSWER_NEVER,
        says={Way.SQL: "did not answer in time"},
        arrives=_SQL,
        hangs=True,
    ),
    Row(
        name="the acknowledgement of COMMIT is lost, and the store is gone",
        at=At.COMMIT,
        sees=_write(Sees.SAME_AGAIN, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.ANSWER_LOST,
        says={Way.SQL: f"{_NOBODY}|{_GONE}"},
        then=Fault.REFUSED,
        hangs=True,
        arrives=_SQL,
    ),
    Row(
        name="the answer to the write is lost",
        at=At.COMMIT,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.ANSWER_LOST,
        says={Way.REST: _CLOSED},
        arrives=_REST,
    ),
    Row(
        name="the answer to the write never comes",
        at=At.COMMIT,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=Fault.ANSWER_NEVER,
        says={Way.REST: "did not answer in time"},
        arrives=_REST,
        hangs=True,
    ),
    Row(
        name="429, or 503 with a code that says that nothing began, to the write",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.FAILED),
        fault=HttpFault.TOO_MANY,
        says={Way.REST: r"too busy to answer \(status 429\)"},
    ),
    Row(
        name="503 to the write, of a gateway whose own connection broke",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=HttpFault.LOST_BEHIND,
        says={Way.REST: r"too busy to answer \(status 503, code PGRST001\)"},
        arrives=_REST,
    ),
    Row(
        name="502 with HTML to the write",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=HttpFault.BAD_GATEWAY,
        says={Way.REST: r"What stands before supabase cannot reach it \(status 502\)"},
        arrives=_REST,
    ),
    Row(
        name="200 with HTML to the write",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=HttpFault.HTML,
        says={Way.REST: "answered with something other than JSON"},
        arrives=_REST,
    ),
    Row(
        name="200 with half of the JSON to the write",
        at=At.WRITE,
        sees=_write(Sees.NOT, Sees.OWED, Sees.UNKNOWN),
        fault=HttpFault.HALF_JSON,
        says={Way.REST: "did not answer with JSON"},
        arrives=_REST,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One cell of the table, for one operation.

    Attributes:
        row: The row.
        place: The store.
        way: How the secondary is reached.
        verb: What the caller does.
    """

    row: Row
    place: Place
    way: Way
    verb: str

    @property
    def sees(self) -> Sees:
        """What the caller sees."""
        read, write = self.row.sees[self.place]
        return read if self.verb in READS else write

    @property
    def store(self) -> StoreName:
        """The store that the fault meets."""
        return PRISMA if self.place is Place.PRIMARY else SUPABASE

    @property
    def arrives(self) -> bool:
        """Whether the write is carried out, whatever is said of it."""
        return (Way.SQL if self.place is Place.PRIMARY else self.way) in self.row.arrives

    @property
    def says(self) -> str:
        """What the error of the store says."""
        return self.row.says[Way.SQL if self.place is Place.PRIMARY else self.way]

    @property
    def quick(self) -> bool:
        """True when it is tried always: one operation of each cell, and of what hangs one of each kind."""
        turn = TABLE.index(self.row) + tuple(Place).index(self.place)
        if not self.row.hangs:
            reads = self.row.at is At.CALL and turn % 2 == 0
            return self.verb == (READS[turn // 2 % 2] if reads else tuple(VERBS)[turn % 3])
        if self.row.fault is Fault.BLACK_HOLE and self.row.at is At.CALL:
            return self.verb == "save" or (self.verb == "get" and self.place is Place.PRIMARY)
        if self.row.fault is Fault.ANSWER_NEVER:
            return self.verb == "save" and self.place is Place.INSTEAD
        return self.verb == "save" and self.row.then is Fault.REFUSED and self.place is not Place.BESIDE

    def __str__(self) -> str:
        place = self.place.name.lower()
        return f"{self.row.name}-{place}-{self.way}-{self.verb}"


def cases(way: Way) -> Iterator[Case]:
    """Yield every cell that concerns a way, for every operation."""
    for row in TABLE:
        for place in Place:
            concerned = way is Way.SQL and Way.SQL in row.ways if place is Place.PRIMARY else way in row.ways
            for verb in (*READS, *VERBS):
                case = Case(row=row, place=place, way=way, verb=verb)
                if concerned and case.sees is not Sees.NOT:
                    yield case
