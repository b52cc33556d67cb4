"""Why the values of a column differ: the table of rules, in order of precedence.

1. One value was made from the other. Such a rule computes the whole of one value, so chance does not meet it.
2. The row itself shows that a value is not the one that was meant: a made-up title, a word of no vocabulary, a column
   that its own body contradicts.
3. A value is absent: NULL, or the default of a column that nobody wrote.

The first rule that holds names the cause. What none explains goes to `leftover`, which looks at the row as a whole.
"""

from __future__ import annotations

from collections.abc import Callable

from contracts.column_types import NUMBERS
from contracts.dataset import Column, ColumnType
from contracts.instants import INFINITE, microseconds
from contracts.vocabulary import Cause, StoreName
from storage.canonical import NO_DECIMALS, is_uuid
from storage.canonical_json import number, parse
from storage.parity.causes.finding import Finding
from storage.parity.causes.instants import created_at_rewritten, time_zone_shift, timestamp_truncated
from storage.parity.causes.pair import RowPair
from storage.parity.causes.scalars import number_rounded
from storage.parity.causes.texts import compare_texts

Rule = Callable[[RowPair, Column], Finding | None]


def text_relation(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a text that was made from the other, by the rules of `texts`."""
    primary, secondary = pair.values(column.name)
    if column.type is not ColumnType.TEXT or column.array or primary is None or secondary is None:
        return None
    return compare_texts(primary, secondary)


def number_relation(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a number that is the other after a trip through a double, or rounded to fewer digits."""
    primary, secondary = pair.values(column.name)
    if column.type not in NUMBERS or column.array or primary is None or secondary is None:
        return None
    if not {primary, secondary}.isdisjoint(NO_DECIMALS):
        return None
    return number_rounded(number(primary), number(secondary))


def title_fallback(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a title `<type> - <instant>`, made up by a store where the other has a blank one or another instant."""
    return compare_titles(pair, *pair.values(column.name)) if column.name == pair.facts.title else None


def compare_titles(pair: RowPair, primary: str | None, secondary: str | None) -> Finding | None:
    """Return whether one title was made up by a store, or both were."""
    made_up = [
        store
        for store, title in ((StoreName.PRISMA, primary), (StoreName.SUPABASE, secondary))
        if title is not None and _is_made_up(title, pair.kind(store))
    ]
    if len(made_up) == 2:  # noqa: PLR2004 - both
        return Finding(Cause.TITLE_FALLBACK, None, "made up by both stores at different instants")
    blank = any(title is None or not title.strip() for title in (primary, secondary))
    if not made_up or not blank:
        return None
    return Finding(Cause.TITLE_FALLBACK, None, f"made up on {made_up[0]} where the other is blank")


def _is_made_up(title: str, kind: str | None) -> bool:
    if kind is None or not title.startswith(f"{kind} - "):
        return False
    try:
        microseconds(title.removeprefix(f"{kind} - "))
    except ValueError:
        return False
    return True


def reference_not_uuid(pair: RowPair, column: Column) -> Finding | None:
    """Recognise an owner or project that supabase holds as NULL, since the primary's is no UUID."""
    primary, secondary = pair.values(column.name)
    if column.name not in pair.dataset.references or primary is None or secondary is not None or is_uuid(primary):
        return None
    return Finding(
        Cause.REFERENCE_NOT_UUID, StoreName.PRISMA, f"no UUID on {StoreName.PRISMA} and NULL on {StoreName.SUPABASE}"
    )


def status_vocabulary(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a status that is in no vocabulary, on exactly one side."""
    words = pair.facts.vocabularies.get(column.name)
    if words is None or column.name != pair.facts.status:
        return None
    values = zip(StoreName, pair.values(column.name), strict=True)
    unknown = [store for store, value in values if value is not None and value not in words]
    if len(unknown) != 1:
        return None
    return Finding(Cause.STATUS_VOCABULARY, unknown[0], f"in no vocabulary on {unknown[0]}")


def column_stale(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a column of prisma that its own body contradicts, while the body agrees with supabase."""
    path = pair.facts.in_body.get(column.name)
    if path is None:
        return None
    primary, secondary = pair.values(column.name)
    said = pair.in_body(StoreName.PRISMA, path)
    said = None if said is None else column.aliases.get(said, said)
    if primary is None or said is None or said != secondary:
        return None
    return Finding(Cause.COLUMN_STALE, StoreName.PRISMA, f"older than its own body on {StoreName.PRISMA}")


def column_not_written(pair: RowPair, column: Column) -> Finding | None:
    """Recognise a column that is NULL, or still its default, on one side, and holds a valid value on the other."""
    values = dict(zip(StoreName, pair.values(column.name), strict=True))
    for absent in (None, pair.facts.unwritten.get(column.name)):
        for store, value in values.items():
            other = values[store.other]
            if value == absent and other is not None and is_valid(pair, column, other):
                words = "NULL" if absent is None else "still the default"
                return Finding(Cause.COLUMN_NOT_WRITTEN, store, f"{words} on {store}")
    return None


def is_valid(pair: RowPair, column: Column, text: str) -> bool:
    """Tell whether a canonical value is one that somebody may have meant."""
    match column.type:
        case _ if column.array:
            return True
        case ColumnType.TEXT:
            in_words = text in pair.facts.vocabularies.get(column.name, (text,))
            return is_uuid(text) if column.name in pair.dataset.references else in_words and bool(text.strip())
        case ColumnType.JSON:
            return isinstance(parse(text), dict | list)
        case ColumnType.INTEGER:
            return column.name not in pair.facts.positive or int(text) > 0
        case _:
            return text not in INFINITE


COLUMN_RULES: tuple[Rule, ...] = (
    text_relation,
    number_relation,
    timestamp_truncated,
    time_zone_shift,
    title_fallback,
    reference_not_uuid,
    status_vocabulary,
    created_at_rewritten,
    column_stale,
    column_not_written,
)


def explain_column(pair: RowPair, column: Column) -> Finding | None:
    """Return why the values of a whole column differ; None when no rule tells."""
    for rule in COLUMN_RULES:
        finding = rule(pair, column)
        if finding is not None:
            return finding
    return None


def leftover(pair: RowPair, unexplained: frozenset[str]) -> tuple[Finding | None, frozenset[str]]:
    """Explain what is left over by looking at which columns are: all of them, or nothing.

    Args:
        pair: The two rows.
        unexplained: Columns that still have an unexplained difference.

    Returns:
        The finding, and the columns that it explains.
    """
    for rule in (version_drift, updated_at_rewritten):
        finding = rule(pair, unexplained)
        if finding is not None:
            return finding, unexplained
    return None, frozenset()


def version_drift(pair: RowPair, unexplained: frozenset[str]) -> Finding | None:
    """Recognise a version that differs when nothing but the time of the last change does."""
    version, updated = pair.facts.version, pair.dataset.updated
    if version not in unexplained or unexplained - {version, updated}:
        return None
    primary, secondary = pair.values(version)
    if primary is None or secondary is None:
        return Finding(Cause.VERSION_DRIFT)
    higher = StoreName.SUPABASE if int(secondary) > int(primary) else StoreName.PRISMA
    return Finding(Cause.VERSION_DRIFT, None, f"ahead on {higher}")


def updated_at_rewritten(pair: RowPair, unexplained: frozenset[str]) -> Finding | None:
    """Recognise a time of the last change that is later on supabase when nothing else differs."""
    updated = pair.dataset.updated
    if updated is None or unexplained != {updated}:
        return None
    primary, secondary = (pair.instant(store, updated) for store in StoreName)
    if primary is None or secondary is None or secondary <= primary:
        return None
    return Finding(Cause.UPDATED_AT_REWRITTEN, StoreName.SUPABASE, f"stamped later on {StoreName.SUPABASE}")
