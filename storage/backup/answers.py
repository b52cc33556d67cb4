"""What pg_restore said when it could not make everything: what it means for the backup. Pure values.

Three things may lie behind an error. The dump is at fault: it cannot be read to its end, or holds rows that nobody can
take. Or something cannot be made that holds no rows and is not compared, such as a view: that is named. Or something
that counts cannot be made, and nobody can tell here whose fault it is: a scratch server lacks much that another one
has. What the dump lost all the same is seen when the rest is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.backups import KeptSide, TableContent

_ENTRY = re.compile(r"from TOC entry \d+; \d+ \d+ (.+) \S+\Z", re.DOTALL)
_TO_THE_END = "errors ignored on restore"
_IDLE = (
    *("VIEW", "MATERIALIZED VIEW", "RULE", "POLICY", "ROW SECURITY", "FOREIGN TABLE", "STATISTICS"),
    *("FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "CAST", "TRANSFORM", "TYPE", "SHELL TYPE", "DOMAIN"),
    *("COLLATION", "CONVERSION", "TEXT SEARCH", "EXTENSION", "PROCEDURAL LANGUAGE", "ACCESS METHOD"),
    *("FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "EVENT TRIGGER", "PUBLICATION", "COMMENT", "ACL"),
    *("DEFAULT ACL", "SECURITY LABEL"),
)
_VIEWS = ("VIEW ", "MATERIALIZED VIEW ")
_BROKEN = re.compile(
    r"ERROR: +(?:syntax error at|invalid byte sequence|extra data after|missing data for|null value in "
    r"|could not create unique index[^\n]*\n(?:DETAIL: +Key \([^(\n]*\)=|(?!DETAIL))|could not create exclusion)"
)
_NO_VALUE = re.compile(
    r"ERROR: +(?:invalid input (?:syntax|value)|malformed |value too long|numeric field overflow|[^\n]* out of range)"
)
_OF_A_COLUMN = re.compile(r"CONTEXT: +COPY (?:(?!, line \d)[^\n])*, line \d+, column ")
_ORPHANED = re.compile(r"ERROR: +insert or update on table [^\n]* violates foreign key")
_LACKING = re.compile(
    r"ERROR: +(collation|language|access method|operator class|text search \w+|foreign-data wrapper|server|type|schema)"
    r' "([^"\n]+)"[^\n]* does not exist'
)
_BEYOND = re.compile(
    r'ERROR: +(?:(relation|type|collation|function|aggregate|procedure) "?([^".()\n]+)"?\.[^\n]*? does not exist'
    r'|(operator) does not exist: (?:[^\n]*? )?"?([^" .\n]+)"?\.)'
)
_STOOD_IN = ("must be marked IMMUTABLE", "generation expression is not immutable", "in record data type")
_FOLLOWS = "does not exist"
_QUOTED = re.compile(r'"[^"\n]*"')
_GAVE_UP = re.compile(
    r"(?:^|: +)(?:No space left|Disk quota exceeded|could not extend file|out of (?:shared )?memory"
    r"|server closed the connection|(?:no )?connection to (?:the )?server|terminating connection)"
)


@dataclass(frozen=True, slots=True)
class Untried:
    """Something of a dump that could not be made in the scratch server.

    Attributes:
        what: What it is, such as `VIEW users`.
        needs: What it needs that lies outside of the dump, or whose absence it follows from; empty where unknown.
        counts: Whether rows depend on it, or it is compared: without it nobody can tell whether the backup is good.
    """

    what: str
    needs: str = ""
    counts: bool = False

    def concerns(self, table: TableContent) -> bool:
        """Tell whether it is a table, its rows, or a partition of it; a manifest names their schema as well."""
        tag = re.sub(r"^TABLE (?:DATA |ATTACH )?", "", self.what)
        return self.what.startswith("TABLE ") and any(
            f" {name}".replace('"', "").endswith(f".{tag}".replace('"', "")) for name in (table.name, *table.parts)
        )


@dataclass(frozen=True, slots=True)
class Stopped:
    """pg_restore failed because of the dump.

    Attributes:
        where: What it worked on; empty where it did not say.
    """

    where: str


def gave_up(stderr: str) -> bool:
    """Tell whether a program failed because of its server, and not because of the dump; names say nothing."""
    return any(_GAVE_UP.search(_QUOTED.sub("", error.split("\n", 1)[0])) for _, error, _ in _errors(stderr))


def read_answer(stderr: str, side: KeptSide) -> tuple[Untried, ...] | Stopped:
    """Return what could not be made, or where it stopped for a reason that lies in the dump.

    Args:
        stderr: What pg_restore wrote when it ended with an error.
        side: The side that was restored.
    """
    untried: list[Untried] = []
    for what, error, context in _errors(stderr):
        counts = _counts(what, side, untried)
        missed = [one.needs for one in untried if one.needs] if _FOLLOWS in error else []
        needs = needed_beyond(error, side) or (missed[-1] if missed else "")
        if counts and not needs and _is_broken(error, context, untried):
            return Stopped(what)
        untried.append(Untried(what, needs, counts))
    return tuple(untried) if untried and _TO_THE_END in stderr else Stopped(untried[-1].what if untried else "")


def told(untried: Sequence[Untried]) -> str:
    """Return what could not be made as a list, the first few by name."""
    few = 5
    named = ", ".join(one.what for one in untried[:few])
    return named + (f" and {len(untried) - few} more" if untried[few:] else "")


def _errors(stderr: str) -> Iterator[tuple[str, str, str]]:
    """Yield each error with what a program worked on, and where; the words of a statement are none of the error."""
    what = ""
    for message in re.split(r"^pg_\w+: ", stderr, flags=re.MULTILINE):
        if entry := _ENTRY.match(message.strip("\n")):
            what = entry[1]
        elif message.startswith("error: "):
            said = re.split(r"^Command was: ", message, maxsplit=1, flags=re.MULTILINE)[0]
            error, *context = re.split(r"^(?=CONTEXT: )", said, maxsplit=1, flags=re.MULTILINE)
            yield what, error, "".join(context)


def _counts(what: str, side: KeptSide, untried: Sequence[Untried]) -> bool:
    """Tell whether rows depend on an entry, or it is compared; indexes and triggers of views are not."""
    if what.startswith("INDEX ") and not what.startswith("INDEX ATTACH "):
        return _listed(what.removeprefix("INDEX "), side.shape.indexes)
    if what.startswith("TRIGGER "):
        return _listed(what.removeprefix("TRIGGER "), side.shape.triggers)
    views = [one.what.removeprefix(kind) for one in untried for kind in _VIEWS if one.what.startswith(kind)]
    of_views = [f"DEFAULT {view} " for view in views]
    return not what.startswith(tuple(f"{kind} " for kind in _IDLE) + tuple(of_views))


def _listed(tag: str, names: Sequence[str]) -> bool:
    """Tell whether a manifest lists what pg_restore calls by its name, or by table and name."""
    wanted = f" {tag} ".replace('"', "").replace(".", " ")
    return any(wanted in f" {name} ".replace('"', "").replace(".", " ") for name in names)


def _is_broken(error: str, context: str, untried: Sequence[Untried]) -> bool:
    """Tell whether an error proves that rows, or the dump, are not as they were; values of rows are not looked at.

    What is no value of its type proves it where a column was read: an expression may read the same text otherwise here.
    """
    whole = not any(one.counts for one in untried)
    return (
        _BROKEN.search(error) is not None
        or (_OF_A_COLUMN.match(context) is not None and _NO_VALUE.search(error) is not None)
        or (whole and _ORPHANED.search(error) is not None)
    )


def needed_beyond(error: str, side: KeptSide) -> str | None:
    """Return what pg_restore missed that no dump holds, or found stood in for otherwise; None where it was neither."""
    if lacking := _LACKING.search(error):
        return f"the {lacking[1]} {lacking[2]}"
    beyond = _BEYOND.search(error)
    if beyond is not None and (schema := beyond[2] or beyond[4]) not in side.schemas:
        return f"{'an' if beyond[3] else 'a'} {beyond[1] or beyond[3]} of schema {schema}"
    if side.outside.functions and any(sign in error for sign in _STOOD_IN):
        return f"functions of schema {', '.join(sorted({schema for schema, _ in side.outside.functions}))} themselves"
    return None
