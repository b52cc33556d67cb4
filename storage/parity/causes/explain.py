"""Why two rows of one key differ: every field gets one cause, every cause that is at work is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from contracts.dataset import Column, ColumnType, Dataset
from contracts.verdicts import Explanation, FieldDifference
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_row
from storage.parity.agreement import agrees
from storage.parity.causes.bodies import explain_body
from storage.parity.causes.columns import explain_column, leftover
from storage.parity.causes.finding import Finding
from storage.parity.causes.pair import RowPair
from storage.parity.fields import difference, whole
from storage.ports import Row

_ORDER = {cause: position for position, cause in enumerate(Cause)}
_UNEXPLAINED = Finding(Cause.UNEXPLAINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """One differing field and why it differs."""

    column: str
    field: FieldDifference
    about: str
    finding: Finding | None
    inner: bool = False


def explain(
    dataset: Dataset, primary: Row, secondary: Row, fields: Sequence[FieldDifference]
) -> tuple[tuple[FieldDifference, ...], tuple[Explanation, ...]]:
    """Explain why two rows of one key differ, from the two rows alone.

    Args:
        dataset: The dataset of both rows.
        primary: The row as the primary wrote it, not in canonical form: microseconds count.
        secondary: The row as the secondary wrote it.
        fields: What `diff_fields` found between their canonical records.

    Returns:
        The fields, each with its cause, followed by the differences that only show once another cause is
        taken away (inside a body that was encoded twice); and one explanation per cause, store and detail, those of
        fields that nothing explains last. An explanation names columns and paths, with `*` for list positions.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    raw = {StoreName.PRISMA: primary, StoreName.SUPABASE: secondary}
    canonical = {store: canonical_row(dataset, row, store=store) for store, row in raw.items()}
    pair = RowPair(dataset=dataset, facts=dataset.facts, raw=raw, canonical=canonical)
    reasons = _look_at_the_rest(pair, [reason for column in dataset.compared for reason in _reasons(pair, column)])
    return _with_causes(fields, reasons), _explanations(reasons)


def _reasons(pair: RowPair, column: Column) -> list[_Reason]:
    values = pair.values(column.name)
    if agrees(column, *values):
        return []
    if column.type is not ColumnType.JSON or column.array or None in values:
        field = whole(column, *values)
        return [_Reason(column=column.name, field=field, about=column.name, finding=explain_column(pair, column))]
    return [
        _Reason(
            column=column.name,
            field=difference(column, judged.gap),
            about=judged.about,
            finding=judged.finding,
            inner=judged.inner,
        )
        for judged in explain_body(pair, column)
    ]


def _look_at_the_rest(pair: RowPair, reasons: list[_Reason]) -> list[_Reason]:
    """Explain what no rule about a value explains, where the columns that are left over tell."""
    finding, columns = leftover(pair, frozenset(reason.column for reason in reasons if reason.finding is None))
    if finding is None:
        return reasons
    return [replace(reason, finding=finding) if reason.column in columns else reason for reason in reasons]


def _with_causes(fields: Sequence[FieldDifference], reasons: list[_Reason]) -> tuple[FieldDifference, ...]:
    """Set the cause of each field; differences that show inside others follow at the end."""
    causes = {reason.field.field: _cause(reason) for reason in reasons if not reason.inner}
    shown = (replace(field, cause=causes.get(field.field, Cause.UNEXPLAINED)) for field in fields)
    inner = (replace(reason.field, cause=_cause(reason)) for reason in reasons if reason.inner)
    return (*shown, *inner)


def _cause(reason: _Reason) -> Cause:
    return (reason.finding or _UNEXPLAINED).cause


def _explanations(reasons: Iterable[_Reason]) -> tuple[Explanation, ...]:
    about: dict[Finding, set[str]] = {}
    for reason in reasons:
        about.setdefault(reason.finding or _UNEXPLAINED, set()).add(reason.about)
    found = [
        Explanation(cause=finding.cause, fields=tuple(sorted(names)), store=finding.store, detail=finding.detail)
        for finding, names in about.items()
    ]
    return tuple(sorted(found, key=lambda e: (_ORDER[e.cause], e.fields, e.store or "", e.detail)))
