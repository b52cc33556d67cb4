"""Making a plan: read how every key stands, decide, judge what would be written, and put the steps in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.repair import Header, Left, Plan, Step, Why, Winner
from contracts.repair.plan import Texts
from contracts.row_judge import RowJudge
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_key
from storage.repair.deciding import decide
from storage.repair.decisions import Decision, Draft, leave
from storage.repair.ports import RepairSide, hash_of
from storage.repair.renaming import cause_of, new_key, rename
from storage.repair.seeing import Both, see_both, see_primary
from storage.repair.wanted import Case, Failing, Found, Wanted

__all__ = ["Failing", "Found", "Wanted", "make_plan"]

Referenced = Mapping[StoreName, Collection[str]]
"""Per store, the keys on which rows of other tables hang."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What becomes of one record: steps that are taken all or not at all, as they stand.

    Attributes:
        decision: Its steps, and what is left of it.
        seen: How its keys stand.
    """

    decision: Decision
    seen: Mapping[str, Both]


@dataclass(slots=True)
class _Tally:
    """How many rows that were looked at break each rule, by store and rule."""

    broken: Counter[tuple[str, StoreName]] = field(default_factory=Counter)

    def add(self, judge: RowJudge, groups: Iterable[Mapping[str, Both]]) -> None:
        """Judge the rows of these keys as they stand."""
        every = list(groups)
        for store in StoreName:
            rows = [row for seen in every for both in seen.values() if store in both and (row := both[store].row)]
            for rules in judge.broken(store, rows):
                self.broken.update((rule, store) for rule in rules)


def make_plan(
    dataset: Dataset,
    wanted: Wanted,
    found: Sequence[Found],
    sides: Mapping[StoreName, RepairSide],
    *,
    header: Header,
    judge: RowJudge | None = None,
    excluded: Sequence[str] = (),
    came_back: Mapping[str, str] | None = None,
    referenced: Referenced | None = None,
    failing: Sequence[Failing] = (),
    adopted: bool = True,
) -> Plan:
    """Make a plan for what a check found, from the rows as they stand now.

    Steps of one record hang together: all but the first need the first.

    Args:
        dataset: The dataset.
        wanted: What is asked for; it fills mode, source, fixes and filters of the header.
        found: The differences that a check found.
        sides: Both stores.
        header: The rest of the header.
        judge: Judges rows; the contract of the dataset unless given.
        excluded: Keys of the primary that the secondary cannot hold.
        came_back: Keys that did not stay repaired, and why.
        referenced: Keys on which rows of other tables hang.
        failing: The checks that failed, so that what no step mends is told; only a plan without filters tells it.
        adopted: False for stores between which no relay carries anything over, so that nothing of it is waited for.

    Raises:
        ConfigurationError: A filter names a column that there is not.
        TwinstoreError: A store cannot be asked, or holds what cannot be read.
    """
    if unknown := wanted.fields - {column.name for column in dataset.columns}:
        raise ConfigurationError(f"{dataset.name} has no column `{min(unknown)}`.", "Name columns of the dataset.")
    dataset = dataset.as_of(header.made_at.date())
    judge = judge or RowJudge(contract_for(dataset.name))
    meant = [one for one in found if _is_meant(wanted, one, header)]
    spellings = {} if not dataset.has_uuid_key else dict(_spellings(dataset, excluded))
    facts = _Facts(came_back or {}, referenced or {}, spellings, adopted)
    renames = list(_renames(dataset, wanted, excluded, sides, facts))
    renamed = {key for group in renames for key in group.seen if wanted.rename}
    groups = [*renames, *_decided(dataset, wanted, [one for one in meant if one.key not in renamed], sides, facts)]
    tally = _Tally()
    tally.add(judge, (group.seen for group in groups))
    judged = list(_judged(groups, judge))
    steps = tuple(_steps(dataset, judged))
    left = [one for group in judged for one in group.decision.left]
    if wanted.everything:
        left += [*_empty_side(header), *_alike(failing, tally, judge.rules)]
    told = replace(
        header,
        mode=wanted.mode,
        source=wanted.source,
        fixes=tuple(sorted(wanted.fixes)),
        filters=wanted.filters,
        columns=tuple(column.name for column in dataset.columns),
    )
    return Plan(header=told, steps=steps, left=tuple(left))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of many keys beside their rows."""

    came_back: Mapping[str, str]
    referenced: Referenced
    spellings: Mapping[str, str]
    adopted: bool

    def is_referenced(self, store: StoreName, key: str) -> bool:
        """Tell whether rows of other tables hang on a key."""
        return key in self.referenced.get(store, ())


def _is_meant(wanted: Wanted, found: Found, header: Header) -> bool:
    named = not wanted.keys or found.key in wanted.keys
    return named and wanted.means_age(found.first_seen, header.made_at)


def _spellings(dataset: Dataset, excluded: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the canonical form of each excluded key that has one, and how it is spelt."""
    for key in excluded:
        try:
            yield canonical_key(dataset, key), key
        except ValueError:
            continue


def _is_of_users(dataset: Dataset, wanted: Wanted, seen: Iterable[Texts | None]) -> bool:
    owner = dataset.facts.owner
    if not wanted.users:
        return True
    return owner is not None and any(row is not None and row[owner] in wanted.users for row in seen)


def _decided(
    dataset: Dataset, wanted: Wanted, found: Sequence[Found], sides: Mapping[StoreName, RepairSide], facts: _Facts
) -> Iterator[_Group]:
    by_key = {one.key: one for one in found}
    for key, both in see_both(sides, sorted(by_key)):
        if not _is_of_users(dataset, wanted, [seen.row for seen in both.values()]):
            continue
        case = Case(
            found=by_key[key],
            seen=both,
            other_spelling=facts.spellings.get(key),
            referenced=frozenset(store for store in StoreName if facts.is_referenced(store, key)),
            came_back=facts.came_back.get(key),
            adopted=facts.adopted,
        )
        yield _Group(decide(dataset, wanted, case), {key: both})


def _renames(
    dataset: Dataset, wanted: Wanted, excluded: Sequence[str], sides: Mapping[StoreName, RepairSide], facts: _Facts
) -> Iterator[_Group]:
    """Decide about the records of the primary whose key the secondary cannot hold."""
    if wanted.older_than is not None or wanted.younger_than is not None:  # nobody remembers since when they are there
        return
    named = [key for key in sorted(set(excluded)) if not wanted.keys or {key, new_key(dataset, key)} & wanted.keys]
    meant = [key for key in named if wanted.means_row(cause_of(key))]
    names = {key: new_key(dataset, key) for key in meant}
    there = dict(see_both(sides, sorted({name for name in names.values() if name}))) if wanted.rename else {}
    for key, seen in see_primary(sides, meant):
        name = names[key]
        if not _is_of_users(dataset, wanted, [seen.row]):
            continue
        if not wanted.rename or name is None:
            yield _Group(leave(key, Why.KEY_NEEDED, causes=[cause_of(key)]), {key: {StoreName.PRISMA: seen}})
            continue
        hung = facts.is_referenced(StoreName.PRISMA, key)
        decision = rename(dataset, wanted, (key, seen), (name, there[name]), adopted=facts.adopted, referenced=hung)
        yield _Group(decision, {key: {StoreName.PRISMA: seen}, name: there[name]})


def _judged(groups: Sequence[_Group], judge: RowJudge) -> Iterator[_Group]:
    """Leave the records of which a row would break a critical rule."""
    breaking: dict[int, set[str]] = {}
    for store in StoreName:
        written = [
            (number, draft.after)
            for number, group in enumerate(groups)
            for draft in group.decision.drafts
            if draft.store is store and draft.after is not None
        ]
        for (number, _), rules in zip(written, judge.broken(store, [row for _, row in written]), strict=True):
            if critical := rules & judge.critical:
                breaking.setdefault(number, set()).update(critical)
    for number, group in enumerate(groups):
        yield _left(group, breaking[number]) if number in breaking else group


def _left(group: _Group, rules: set[str]) -> _Group:
    drafts = group.decision.drafts
    named = ", ".join(f"`{rule}`" for rule in sorted(rules))
    words = f"The row that would be written breaks {named}: correct it first."
    key = next((draft.key for draft in drafts if draft.winner is Winner.RENAMED and draft.after is None), drafts[0].key)
    left = leave(key, Why.BREAKS_CONTRACT, words, [cause for draft in drafts for cause in draft.causes])
    return replace(group, decision=Decision(left=(*left.left, *group.decision.left)))


def _steps(dataset: Dataset, groups: Sequence[_Group]) -> Iterator[Step]:
    """Yield the steps in the order in which they are taken: what is deleted for good comes last."""
    number = 0
    for group in sorted(groups, key=_deletes):
        first = number + 1
        for draft in group.decision.drafts:
            number += 1
            yield _step(dataset, draft, group.seen[draft.key], number=number, needs=first if number > first else None)


def _deletes(group: _Group) -> bool:
    return len(group.decision.drafts) == 1 and group.decision.drafts[0].after is None


def _step(dataset: Dataset, draft: Draft, seen: Both, *, number: int, needs: int | None) -> Step:
    columns = [column.name for column in dataset.columns]
    before, after = draft.before, draft.after
    changed = columns if before is None or after is None else [name for name in columns if before[name] != after[name]]
    other = seen.get(draft.store.other)
    return Step(
        number=number,
        store=draft.store,
        key=draft.key,
        act=draft.act,
        before=before,
        after=after,
        other=None if other is None else hash_of(columns, other.row),
        line=seen[draft.store].line,
        other_line=None if other is None else other.line,
        winner=draft.winner,
        causes=tuple(sorted(map(str, draft.causes))),
        fields=tuple(changed),
        reason=draft.reason,
        needs=needs,
    )


def _empty_side(header: Header) -> Iterator[Left]:
    """Say what a side that holds nothing needs: no row of it is planned one by one."""
    for store in StoreName:
        if not header.rows.get(store) and (rows := header.rows.get(store.other, 0)):
            words = f"{store} holds no row at all: restore it, or fill it with `twinstore adopt`."
            yield Left(key=None, why=Why.NO_WINNER, sentence=words, causes=(str(Cause.SIDE_EMPTY),), rows=rows)


def _alike(failing: Sequence[Failing], tally: _Tally, rules: Collection[str]) -> Iterator[Left]:
    """Say which checks fail for rows on which both stores agree, as far as their number tells, or for a whole table."""
    stores: dict[str, dict[StoreName, int]] = {}
    for one in failing:
        rows = 1 if one.rows is None else one.rows - tally.broken[one.check, one.store]
        if rows > 0 or one.check not in rules:
            stores.setdefault(one.check, {})[one.store] = max(rows, 1)
    for check, rows_of in sorted(stores.items()):
        where = " and ".join(sorted(rows_of))
        if check in rules:
            words = f"`{check}` fails on {where} for rows on which both stores agree: correct them in the application."
        else:
            words = (
                f"`{check}` fails on {where}, which no row alone can mend: its message in the report says what to do."
            )
        yield Left(key=None, why=Why.BOTH_ALIKE, sentence=words, causes=(check,), rows=max(rows_of.values()))
