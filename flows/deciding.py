"""What a person decides about replication: conflicts and dead letters, found by key and shown field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.replication import Conflict, DeadLetter
from contracts.verdicts import FieldDifference
from contracts.vocabulary import StoreName
from flows.replicating import Replication
from flows.settings import Settings

if TYPE_CHECKING:
    from storage.ports import Row

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Discretion:
    """Who may see values, as the settings say it."""

    masked: bool
    share: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """A conflict beside the row that the primary has now.

    Attributes:
        conflict: The conflict.
        there: True when the primary has the row.
        fields: The fields that differ; none where one side has no row.
    """

    conflict: Conflict
    there: bool
    fields: tuple[FieldDifference, ...]

    @property
    def same(self) -> bool:
        """True when the primary's row is the one that lost, so that there is nothing to decide any more."""
        if self.conflict.loser is None:
            return not self.there
        return self.there and not self.fields


def discretion(settings: Settings) -> Discretion:
    """Return who may see values."""
    return Discretion(masked=not settings.reveal, share=settings.share)


def canonical(dataset: Dataset, key: str) -> str:
    """Return a key as it is kept: UUIDs are written in many ways."""
    from uuid import UUID

    if not dataset.has_uuid_key:
        return key
    try:
        return str(UUID(key))
    except ValueError:
        return key


def chosen(dataset: Dataset, keys: Sequence[str] | None, *, everything: bool) -> tuple[str, ...] | None:
    """Return the keys that are meant; None for all of them.

    Raises:
        ConfigurationError: Neither keys nor all are named, or both.
    """
    if bool(keys) is everything:
        what = "Both keys and --all were said." if everything else "It is not said which ones are meant."
        raise ConfigurationError(what, "Name keys, or say --all.")
    return None if everything else tuple(canonical(dataset, key) for key in keys or ())


def side_by_side(replication: Replication, conflict: Conflict) -> SideBySide:
    """Return a conflict beside the row that the primary has now.

    Raises:
        TwinstoreError: The primary cannot be reached.
    """
    from storage.parity.fields import diff_fields

    ours: Row | None = replication.primary.look([conflict.key])[conflict.key].row
    fields: tuple[FieldDifference, ...] = ()
    if ours is not None and conflict.loser is not None:
        fields = diff_fields(replication.dataset, ours, conflict.loser)
    return SideBySide(conflict=conflict, there=ours is not None, fields=fields)


def resolve_all(
    replication: Replication,
    keys: Collection[str] | None,
    *,
    keep: str,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Decide conflicts, and return how many; a later conflict of one key is decided after an earlier one.

    Args:
        replication: The replication.
        keys: Keys of those that are meant; None for all.
        keep: `primary` or `secondary`.
        progress: Is told how many were decided.

    Raises:
        TwinstoreError: The primary cannot be reached, or cannot hold a row. What was decided stays so.
    """
    from storage.replication.decisions import resolve

    decided, seen = 0, set[int]()
    while True:
        page = replication.book.conflicts(keys=keys, at_most=PAGE)  # those that are decided leave it
        fresh = [conflict for conflict in page if conflict.id not in seen]
        if not fresh:
            return decided
        for conflict in fresh:
            seen.add(conflict.id)
            decided += resolve(conflict, keep=keep, primary=replication.primary, book=replication.book)
            progress(decided)


def letters(replication: Replication, keys: Collection[str] | None) -> tuple[DeadLetter, ...]:
    """Return dead letters, all of them unless keys are given."""
    found = replication.book.letters(at_most=1_000_000)
    return found if keys is None else tuple(letter for letter in found if letter.key in keys)


def discard(replication: Replication, found: Collection[DeadLetter]) -> Counter[str]:
    """Give changes up for good, and return what became of how many, by words of `storage.replication.decisions`.

    The secondary's row of each is kept as a conflict. A record that was written again since is left alone.

    Raises:
        TwinstoreError: A store cannot be reached.
    """
    from storage.replication.decisions import give_up

    primary, secondary, _ = replication.both()
    return Counter(give_up(letter, primary=primary, secondary=secondary, book=replication.book) for letter in found)


def shown(
    found: SideBySide, who: Discretion, mask_key: bytes
) -> Iterator[tuple[str, tuple[str, str], tuple[str | None, str | None]]]:
    """Yield each field that differs with its two values, as texts for people and for machines, masked as they must be.

    Args:
        found: The conflict.
        who: Who may see values.
        mask_key: The secret with which masked values are hashed.
    """
    from reports.masking import sides

    for difference in found.fields:
        primary, secondary = sides(difference, who, mask_key)
        yield difference.field, (primary.text, secondary.text), (primary.value, secondary.value)


def sentence(found: SideBySide) -> str:
    """Return what stands against what, in one sentence."""
    kinds = {
        "concurrent": "Both sides changed it before they heard of each other",
        "adopted": "It differed before the stores were adopted",
        "discarded": "Its change was given up",
    }
    ours = "has the row" if found.there else "has no row"
    theirs = "no row" if found.conflict.loser is None else "this row"
    return (
        f"{kinds.get(found.conflict.kind, found.conflict.kind)}: {StoreName.PRISMA} {ours}, "
        f"{StoreName.SUPABASE} had {theirs}."
    )
