"""Turn confirmed disagreements into differences with causes, and differences into clusters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from contracts.instants import microseconds, milliseconds
from contracts.verdicts import Cluster, Difference, Explanation, FieldDifference
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.parity.accounting import kind_of
from storage.parity.causes import cluster, explain, explain_one_sided, explain_window, find_windows
from storage.parity.fields import diff_fields
from storage.parity.recheck import Checked
from storage.parity.standing import Placed
from storage.ports import FullRow, HashKind, Reader

EPOCH_MS = 946_684_800_000  # from 1970, where others count from, to 2000, where PostgreSQL does
_LACKED = {Cause.MISSING_ROW, Cause.REFUSED_BY_STORE}  # such a row is not there, so that it parts no window
VALUE_MAX = 20_000  # characters of a value that are kept
VALUES_BUDGET = 64 << 20  # characters of all values that are kept; later differences keep their fields only


class Explained(NamedTuple):
    """What came of all candidates.

    Attributes:
        differences: Every confirmed difference, by key.
        clusters: The same by cause, largest first.
        unsettled: Keys about which nothing can be said yet, and how the stores disagreed about each at last.
        doubts: Sentences about rows of which nobody can tell why they are missing.
    """

    differences: tuple[Difference, ...]
    clusters: tuple[Cluster, ...]
    unsettled: dict[str, DifferenceKind]
    doubts: tuple[str, ...]


class _Doubt(StrEnum):
    """Why a row that one store lacks may not simply be missing, in words that follow the number of such rows."""

    UNTIMED = "that one store lacks may have been lost with others: no time of creation is known"
    UNENDED = "that one store lacks may have been lost with others: too much is missing to search it all"
    UNSPELT = (
        "that prisma lacks may stand there under another spelling of the key: more keys there are no UUIDs "
        "than TWINSTORE_ROW_BUDGET lets a check read"
    )


class Explainer:
    """Collects confirmed disagreements, and explains each from its two rows as it comes.

    Args:
        primary: Reader of the primary.
        secondary: Reader of the secondary.
        kind: How rows are hashed.
        spellings: Canonical keys to the other spellings under which prisma holds them.
        spelt_all: False where prisma may hold further ones.
    """

    def __init__(
        self,
        primary: Reader,
        secondary: Reader,
        kind: HashKind,
        *,
        spellings: dict[str, str],
        spelt_all: bool = True,
    ) -> None:
        self._readers = {primary.store: primary, secondary.store: secondary}
        self._dataset = primary.dataset
        self._kind = kind
        self._spellings = spellings
        self._spelt_all = spelt_all
        self._differences: list[Difference] = []
        self._missing: dict[StoreName, dict[str, int]] = {store: {} for store in StoreName}
        self._unsettled: dict[str, DifferenceKind] = {}
        self._budget = VALUES_BUDGET

    def add(self, placed: Placed) -> None:
        """Explain one confirmed candidate."""
        checked, kind = placed.checked, kind_of(placed.checked)
        if checked.primary and checked.secondary:
            found = diff_fields(self._dataset, checked.primary.row, checked.secondary.row)
            fields, explanations = explain(self._dataset, checked.primary.row, checked.secondary.row, found)
            fields = tuple(self._kept(field) for field in fields)
        else:
            fields = ()
            explanations = self._one_sided(kind, checked.first.key, checked.primary or checked.secondary)
        self._differences.append(
            Difference(
                key=checked.first.key,
                kind=kind,
                fields=fields,
                explanations=explanations,
                place=placed.place,
                waiting_s=placed.waiting_s,
            )
        )

    def defer(self, checked: Checked) -> None:
        """Note a candidate about which nothing can be said yet: a row that one store lacks parts no window."""
        self._unsettled[checked.first.key] = kind_of(checked)
        if not (checked.primary and checked.secondary):
            self._one_sided(kind_of(checked), checked.first.key, checked.primary or checked.secondary)

    def finish(self, *, everything: bool = True) -> Explained:
        """Return all differences by key, and their clusters.

        Args:
            everything: Whether every candidate was added: else others may have been lost together with these.
        """
        windows = {store: self._windows(store) for store in StoreName}
        found = {store: (named, ended and everything) for store, (named, ended) in windows.items()}
        judged = [self._in_window(d, *found[_holder(d.kind)]) for d in self._differences]
        differences = tuple(sorted((d for d, _ in judged), key=lambda d: d.key))
        doubts = Counter(doubt for _, doubt in judged)
        notes = tuple(_told(doubt, doubts[doubt]) for doubt in _Doubt if doubts[doubt])
        return Explained(differences, cluster(differences), self._unsettled, notes)

    def _one_sided(self, kind: DifferenceKind, key: str, row: FullRow | None) -> tuple[Explanation, ...]:
        holder = _holder(kind)
        if row is None:
            return (Explanation(cause=Cause.MISSING_ROW, fields=(), store=holder.other),)
        explanations = explain_one_sided(self._dataset, holder, row.row, other_keys_raw=self._spellings)
        created = row.row.get(self._dataset.created or "")
        if created is not None and all(e.cause in _LACKED for e in explanations):
            instant = microseconds(created)
            if instant is not None:
                self._missing[holder][key] = milliseconds(instant) + EPOCH_MS
        return explanations

    def _windows(self, holder: StoreName) -> tuple[dict[str, Explanation], bool]:
        """Return, by key, the window that explains why the other side lacks rows, and whether all were searched for."""
        missing = self._missing[holder]
        if not missing:
            return {}, True
        with self._readers[holder].snapshot(self._kind) as snapshot:
            windows, ended = find_windows(missing, snapshot.created_between)
        return {key: explain_window(window, holder.other) for window in windows for key in window.keys}, ended

    def _in_window(
        self,
        difference: Difference,
        windows: dict[str, Explanation],
        ended: bool,  # noqa: FBT001
    ) -> tuple[Difference, _Doubt | None]:
        if any(e.cause is not Cause.MISSING_ROW for e in difference.explanations):
            return difference, None
        if window := windows.get(difference.key):
            return replace(difference, explanations=(window,)), None
        doubt = self._doubt(difference, ended=ended)
        return replace(difference, searched=doubt is None), doubt

    def _doubt(self, difference: Difference, *, ended: bool) -> _Doubt | None:
        """Return why a row that is in no window may not simply be missing; None where it is."""
        holder = _holder(difference.kind)
        if holder is StoreName.SUPABASE and not self._spelt_all:
            return _Doubt.UNSPELT
        if difference.key not in self._missing[holder]:
            return _Doubt.UNTIMED
        return None if ended else _Doubt.UNENDED

    def _kept(self, field: FieldDifference) -> FieldDifference:
        """Cut long values, and drop them once the budget for all values is spent."""
        if self._budget <= 0:
            return replace(field, primary=_dropped(field.primary), secondary=_dropped(field.secondary))
        kept = replace(field, primary=_cut(field.primary), secondary=_cut(field.secondary))
        self._budget -= len(kept.primary or "") + len(kept.secondary or "")
        return kept


def _told(doubt: _Doubt, rows: int) -> str:
    number = "1 row" if rows == 1 else f"{rows:,} rows"
    return f"{number} {doubt}, and no repair deletes such a row by itself"


def _holder(kind: DifferenceKind) -> StoreName:
    """Return the store that holds a row of which the other one lacks a form."""
    return StoreName.PRISMA if kind is DifferenceKind.ONLY_PRIMARY else StoreName.SUPABASE


def _cut(value: str | None) -> str | None:
    if value is None or len(value) <= VALUE_MAX:
        return value
    return f"{value[:VALUE_MAX]}… ({len(value):,} characters in all)"


def _dropped(value: str | None) -> str | None:
    return None if value is None else f"… ({len(value):,} characters, not kept)"
