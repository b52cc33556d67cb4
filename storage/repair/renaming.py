"""Giving records whose key the secondary cannot hold one that both stores can: only when somebody asks for it.

Another spelling of a UUID becomes the canonical one; any other key a UUIDv5 of it, so that it can be computed anew by
whoever meets the old key somewhere.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.dataset import Dataset
from contracts.repair import Why, Winner
from contracts.vocabulary import Cause, Exclusion, StoreName
from storage.canonical import canonical_uuid, is_uuid
from storage.repair.both_sided import Pair, decide_pair
from storage.repair.courses import Doing
from storage.repair.decisions import Decision, Draft, capital, leave, may, not_by
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


def rename(
    dataset: Dataset, wanted: Wanted, old: tuple[str, Seen], new: tuple[str, Both], *, adopted: bool, referenced: bool
) -> Decision:
    """Decide how a record gets its new key.

    Args:
        dataset: The dataset.
        wanted: What is asked for.
        old: The key that the secondary cannot hold, and how it stands on the primary.
        new: The key that it gets, and how that stands on both.
        adopted: Whether a relay carries over what waits.
        referenced: Whether rows of other tables hang on the old key.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    (key, seen), (name, there) = old, new
    cause = cause_of(key)
    waits = any(one.line is not None for one in (seen, *there.values()))
    if seen.row is None:
        return leave(key, Why.SETTLED)
    if waits and adopted:
        return leave(key, Why.UNDER_WAY, causes=[cause])
    if not may(wanted, Doing.RENAME):
        return leave(key, Why.MODE, not_by(wanted, "give records another key"), [cause])
    if there[StoreName.PRISMA].row is not None:
        words = f"Prisma holds this record twice, as {name} too: decide which of them is right, and delete the other."
        return leave(key, Why.KEY_NEEDED, words, [cause])
    if referenced:
        return leave(key, Why.REFERENCED, causes=[cause])
    row = _with_key(dataset, dict(seen.row), name)
    following = _following(dataset, wanted, name, row, there)
    return _replaced(old, (name, row), following, cause)


def _following(dataset: Dataset, wanted: Wanted, name: str, row: dict[str, str | None], there: Both) -> Decision:
    """Decide about the record under its new key, as if prisma held it already."""
    secondary = there[StoreName.SUPABASE].row
    if secondary is not None:
        source = wanted.source or StoreName.PRISMA
        return decide_pair(dataset, wanted, Pair(name, {StoreName.PRISMA: row, StoreName.SUPABASE: secondary}, source))
    lone = Lone(key=name, holder=StoreName.PRISMA, row=row, cause=Cause.MISSING_ROW, words=_WORDS)
    return insert(dataset, wanted, lone, Winner.RENAMED)


def _replaced(
    old: tuple[str, Seen], new: tuple[str, dict[str, str | None]], following: Decision, cause: str
) -> Decision:
    """Insert the record under its new key, with what else is put right, and delete the old one."""
    (key, seen), (name, row) = old, new
    after = next((draft.after for draft in following.drafts if draft.store is StoreName.PRISMA), row)
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
            causes=(cause,),
            reason=reason,
        )
        for text, before, then in ((name, None, after), (key, seen.row, None))
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
