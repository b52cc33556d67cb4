"""Giving records whose key the secondary cannot hold one that both stores can: only when somebody asks for it.

Another spelling of a UUID becomes the canonical one; any other key a UUIDv5 of it, so that it can be computed anew by
whoever meets the old key somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from contracts.dataset import Dataset
from contracts.repair import Why, Winner
from contracts.replication import Place
from contracts.vocabulary import Cause, Exclusion, StoreName
from storage.canonical import canonical_uuid, is_uuid
from storage.repair.both_sided import Pair, decide_pair
from storage.repair.courses import Doing
from storage.repair.deciding import OF_PEOPLE
from storage.repair.decisions import SENTENCES, Decision, Draft, capital, leave, may, not_by
from storage.repair.fixing_json import value_at, with_value
from storage.repair.forms import json_text, read_json
from storage.repair.one_sided import Lone, insert
from storage.repair.ports import Seen
from storage.repair.seeing import Both
from storage.repair.wanted import Wanted

NAMESPACE = UUID("7f2a6f0e-3d0c-5b5e-9c1c-0d2b8a54e6f1")
"""Of our UUIDv5; it never changes, or the same key would become two."""

_WORDS = "supabase cannot hold the key as prisma spells it"


def new_key(dataset: Dataset, key: str) -> str | None:
    """Return the key that a record gets; None where the dataset's key is not a single UUID."""
    if not dataset.has_uuid_key:
        return None
    return canonical_uuid(key) if is_uuid(key) else str(uuid5(NAMESPACE, f"{dataset.name}:{key}"))


def cause_of(key: str) -> str:
    """Return why a key is excluded."""
    return str(Cause.KEY_CASE if is_uuid(key) else Exclusion.ID_NOT_REPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """A record of the primary whose key the secondary cannot hold, and the key that it gets.

    Attributes:
        old: The key as it is.
        new: The key that it gets.
        seen: How the old one stands on the primary.
        there: How the new one stands on both.
        place: How the new one stands in replication; None where nothing is said of it.
        came_back: Why one of them did not stay repaired; None where neither was, or both did.
        adopted: Whether a relay carries over what waits.
        referenced: Whether rows of other tables hang on the old key.
        twice: Whether prisma holds several records that would get the new key.
    """

    old: str
    new: str
    seen: Seen
    there: Both
    place: Place | None = None
    came_back: str | None = None
    adopted: bool = True
    referenced: bool = False
    twice: bool = False


def rename(dataset: Dataset, wanted: Wanted, record: Renaming) -> Decision:
    """Decide how a record gets its new key.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    if record.seen.row is None:
        return leave(record.old, Why.SETTLED)
    if (why := _left_alone(wanted, record)) is not None:
        return leave(record.old, *why, [cause_of(record.old)])
    row = _with_key(dataset, dict(record.seen.row), record.new)
    return _replaced(record, row, _following(dataset, wanted, record, row))


def _left_alone(wanted: Wanted, record: Renaming) -> tuple[Why, str] | None:
    """Return why a record keeps its key: people decide, the relay is at it, or rows would hang in the air."""
    waits = any(one.line is not None for one in (record.seen, *record.there.values()))
    if record.came_back is not None and not wanted.keys & {record.old, record.new}:
        return Why.CAME_BACK, f"It was repaired before and did not stay so: {record.came_back}"
    if (why := OF_PEOPLE.get(record.place)) is not None:
        return why, SENTENCES[why]
    if waits and record.adopted:
        return Why.UNDER_WAY, SENTENCES[Why.UNDER_WAY]
    if not may(wanted, Doing.RENAME):
        return Why.MODE, not_by(wanted, "give records another key", Doing.RENAME)
    if record.twice or record.there[StoreName.PRISMA].row is not None:
        words = f"Prisma holds this record twice, under spellings of {record.new}: decide which of them is right,"
        return Why.KEY_NEEDED, f"{words} and delete the other."
    return (Why.REFERENCED, SENTENCES[Why.REFERENCED]) if record.referenced else None


def _following(dataset: Dataset, wanted: Wanted, record: Renaming, row: dict[str, str | None]) -> Decision:
    """Decide about the record under its new key, as if prisma held it already.

    Changes under the old key are not captured, so that no side is ever proven to be the only one that changed.
    """
    name, secondary = record.new, record.there[StoreName.SUPABASE].row
    if secondary is not None:
        rows = {StoreName.PRISMA: row, StoreName.SUPABASE: secondary}
        return decide_pair(dataset, wanted, Pair(name, rows, wanted.source))
    lone = Lone(key=name, holder=StoreName.PRISMA, row=row, cause=Cause.MISSING_ROW, words=_WORDS)
    return insert(dataset, wanted, lone, Winner.RENAMED)


def _replaced(record: Renaming, row: dict[str, str | None], following: Decision) -> Decision:
    """Insert the record under its new key, with what else is put right, and delete the old one."""
    key, name, cause = record.old, record.new, cause_of(record.old)
    fixed = next((draft for draft in following.drafts if draft.store is StoreName.PRISMA), None)
    others = [draft for draft in following.drafts if draft.store is StoreName.SUPABASE]
    if following.left and not others:
        return Decision(left=(*leave(key, following.left[0].why, following.left[0].sentence, [cause]).left,))
    reason = f"{capital(_WORDS)}: the record becomes {name}."
    first, last = (
        Draft(
            store=StoreName.PRISMA,
            key=text,
            before=before,
            after=then,
            winner=Winner.RENAMED,
            causes=tuple(causes),
            reason=reason,
        )
        for text, before, then, causes in (
            (name, None, fixed.after if fixed else row, {cause, *(fixed.causes if fixed else ())}),
            (key, record.seen.row, None, {cause}),
        )
    )
    return Decision((first, *others, last), following.left)


def _with_key(dataset: Dataset, row: dict[str, str | None], name: str) -> dict[str, str | None]:
    """Return a row with another key; a body that repeats the key follows."""
    facts, column = dataset.facts, dataset.key[0]
    body, before = facts.body, row[column]
    row[column] = name
    if body is None or column not in facts.envelope or row[body] is None:
        return row
    try:
        tree = read_json(row[body] or "null")
        if value_at(tree, (column,)) == before:
            row[body] = json_text(with_value(tree, (column,), name))
    except ValueError:  # a number that nobody would write out: the body stays as it is, and is judged so
        pass
    return row
