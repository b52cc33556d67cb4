"""Turn confirmed disagreements into differences with causes, and differences into clusters."""

from __future__ import annotations

from dataclasses import replace

from contracts.instants import microseconds, milliseconds
from contracts.verdicts import Cluster, Difference, Explanation, FieldDifference
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.parity.accounting import kind_of
from storage.parity.causes import cluster, explain, explain_one_sided, explain_window, find_windows
from storage.parity.fields import diff_fields
from storage.parity.standing import Placed
from storage.ports import FullRow, HashKind, Reader

EPOCH_MS = 946_684_800_000  # from 1970, where others count from, to 2000, where PostgreSQL does
VALUE_MAX = 20_000  # characters of a value that are kept
VALUES_BUDGET = 64 << 20  # characters of all values that are kept; later differences keep their fields only


class Explainer:
    """Collects confirmed disagreements, and explains each from its two rows as it comes.

    Args:
        primary: Reader of the primary.
        secondary: Reader of the secondary.
        kind: How rows are hashed.
        spellings: Canonical keys to the other spellings under which prisma holds them.
    """

    def __init__(self, primary: Reader, secondary: Reader, kind: HashKind, *, spellings: dict[str, str]) -> None:
        self._readers = {primary.store: primary, secondary.store: secondary}
        self._dataset = primary.dataset
        self._kind = kind
        self._spellings = spellings
        self._differences: list[Difference] = []
        self._missing: dict[StoreName, dict[str, int]] = {store: {} for store in StoreName}
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

    def finish(self) -> tuple[tuple[Difference, ...], tuple[Cluster, ...]]:
        """Return all differences by key, and their clusters."""
        windowed = {store: self._windows(store) for store in StoreName}
        differences = [self._in_window(d, windowed) for d in self._differences]
        differences.sort(key=lambda d: d.key)
        return tuple(differences), cluster(differences)

    def _one_sided(self, kind: DifferenceKind, key: str, row: FullRow | None) -> tuple[Explanation, ...]:
        holder = StoreName.PRISMA if kind is DifferenceKind.ONLY_PRIMARY else StoreName.SUPABASE
        if row is None:
            return (Explanation(cause=Cause.MISSING_ROW, fields=(), store=holder.other),)
        explanations = explain_one_sided(self._dataset, holder, row.row, other_keys_raw=self._spellings)
        created = row.row.get(self._dataset.created or "")
        if created is not None and all(e.cause is Cause.MISSING_ROW for e in explanations):
            instant = microseconds(created)
            if instant is not None:
                self._missing[holder][key] = milliseconds(instant) + EPOCH_MS
        return explanations

    def _windows(self, holder: StoreName) -> dict[str, Explanation]:
        """Return, by key, the write window that explains why rows of `holder` are missing on the other side."""
        missing = self._missing[holder]
        if not missing:
            return {}
        with self._readers[holder].snapshot(self._kind) as snapshot:
            windows = find_windows(missing, snapshot.created_between)
        return {key: explain_window(window, holder.other) for window in windows for key in window.keys}

    @staticmethod
    def _in_window(difference: Difference, windowed: dict[StoreName, dict[str, Explanation]]) -> Difference:
        if difference.kind is DifferenceKind.DIFFERING:
            return difference
        holder = StoreName.PRISMA if difference.kind is DifferenceKind.ONLY_PRIMARY else StoreName.SUPABASE
        window = windowed[holder].get(difference.key)
        return replace(difference, explanations=(window,)) if window else difference

    def _kept(self, field: FieldDifference) -> FieldDifference:
        """Cut long values, and drop them once the budget for all values is spent."""
        if self._budget <= 0:
            return replace(field, primary=_dropped(field.primary), secondary=_dropped(field.secondary))
        kept = replace(field, primary=_cut(field.primary), secondary=_cut(field.secondary))
        self._budget -= len(kept.primary or "") + len(kept.secondary or "")
        return kept


def _cut(value: str | None) -> str | None:
    if value is None or len(value) <= VALUE_MAX:
        return value
    return f"{value[:VALUE_MAX]}… ({len(value):,} characters in all)"


def _dropped(value: str | None) -> str | None:
    return None if value is None else f"… ({len(value):,} characters, not kept)"
