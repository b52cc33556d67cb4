"""Making a plan: read how every key stands, decide, judge what would be written, and put the steps in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.registry import contract_for
from contracts.repair import Header, Plan, Why
from contracts.repair.plan import Texts
from contracts.replication import Place
from contracts.row_judge import RowJudge
from contracts.vocabulary import StoreName
from storage.canonical import canonical_id, canonical_key
from storage.repair.agreeing import Agreed
from storage.repair.deciding import decide
from storage.repair.decisions import leave
from storage.repair.groups import Group, judged, steps
from storage.repair.ports import RepairSide, Seen
from storage.repair.renaming import Renaming, cause_of, new_key, rename
from storage.repair.seeing import see_both, see_primary
from storage.repair.telling import Tally, Unlisted, alike, empty_side, unfound
from storage.repair.wanted import Case, Failing, Found, Wanted

__all__ = ["Failing", "Found", "Unlisted", "Wanted", "make_plan"]

Referenced = Mapping[StoreName, Collection[str]]
"""Per store, the keys on which rows of other tables hang."""


def make_plan(
    dataset: Dataset,
    wanted: Wanted,
    found: Sequence[Found],
    sides: Mapping[StoreName, RepairSide],
    *,
    header: Header,
    judge: RowJudge | None = None,
    excluded: Sequence[str] = (),
    all_excluded: bool = True,
    came_back: Mapping[str, str] | None = None,
    referenced: Referenced | None = None,
    failing: Sequence[Failing] = (),
    adopted: bool = True,
    agreed: Agreed | None = None,
    places: Mapping[str, Place] | None = None,
    unlisted: Unlisted | None = None,
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
        all_excluded: False where the primary may hold more of them.
        came_back: Keys that did not stay repaired, and why.
        referenced: Keys on which rows of other tables hang.
        failing: The checks that failed, so that what no step mends is told; only a plan without filters tells it.
        adopted: False for stores between which no relay carries anything over, so that nothing of it is waited for.
        agreed: What is known of when both stores agreed; without it the mode three-way knows no side that changed.
        places: How keys stand in replication that no check found, such as those that records would get.
        unlisted: What the check says of keys that are not among its differences; that they are equal unless given.

    Raises:
        ConfigurationError: A filter names a column that there is not.
        TwinstoreError: A store cannot be asked, or holds what cannot be read.
    """
    if unknown := wanted.fields - {column.name for column in dataset.columns}:
        raise ConfigurationError(f"{dataset.name} has no column `{min(unknown)}`.", "Name columns of the dataset.")
    dataset = dataset.as_of(header.made_at.date())
    judge = judge or RowJudge(contract_for(dataset.name))
    named = {key: {key, *(spelt for spelt, _ in _spellings(dataset, [key]))} for key in wanted.keys}
    asked = replace(wanted, keys=frozenset().union(*named.values()))
    spellings = dict(_spellings(dataset, excluded))
    standing = {**(places or {}), **{one.key: one.place for one in found if one.place is not None}}
    facts = _Facts(came_back or {}, referenced or {}, spellings, all_excluded, standing, adopted, agreed)
    renames = list(_renames(dataset, asked, excluded, sides, facts))
    renamed = {key for group in renames if group.decision.drafts for key in group.seen}
    meant = [one for one in found if _is_meant(asked, one, header) and one.key not in renamed]
    groups = [*renames, *_decided(dataset, asked, meant, sides, facts)]
    tally = Tally()
    tally.add(judge, groups)
    sound = list(judged(groups, judge))
    left = [one for group in sound for one in group.decision.left]
    known = {one.key for one in found}.union(excluded, (new_key(dataset, key) for key in excluded))
    left += unfound({key: spelt for key, spelt in named.items() if known.isdisjoint(spelt)}, unlisted or Unlisted())
    if wanted.everything:
        left += [*empty_side(header), *alike(failing, tally, judge.rules)]
    told = replace(
        header,
        mode=wanted.mode,
        source=wanted.source,
        fixes=tuple(sorted(wanted.fixes)),
        filters=wanted.filters,
        columns=tuple(column.name for column in dataset.columns),
    )
    return Plan(header=told, steps=tuple(steps(dataset, sound)), left=tuple(left))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of many keys beside their rows."""

    came_back: Mapping[str, str]
    referenced: Referenced
    spellings: Mapping[str, str]
    spelt_all: bool
    places: Mapping[str, Place]
    adopted: bool
    agreed: Agreed | None

    def is_referenced(self, store: StoreName, key: str) -> bool:
        """Tell whether rows of other tables hang on a key."""
        return key in self.referenced.get(store, ())

    def is_proven(self, key: str, seen: Mapping[StoreName, Seen]) -> bool:
        """Tell whether both stores are known to have agreed about a key before the changes of it that wait."""
        noted = {store: one.since for store, one in seen.items() if one.since is not None}
        return self.agreed is not None and self.agreed.before(key, noted)


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
    meant = set(map(canonical_id, wanted.users))
    owners = {row[owner] for row in seen if row is not None} if owner is not None else set()
    return any(one is not None and canonical_id(one) in meant for one in owners)


def _decided(
    dataset: Dataset, wanted: Wanted, found: Sequence[Found], sides: Mapping[StoreName, RepairSide], facts: _Facts
) -> Iterator[Group]:
    by_key = {one.key: one for one in found}
    for key, both in see_both(sides, sorted(by_key)):
        if not _is_of_users(dataset, wanted, [seen.row for seen in both.values()]):
            continue
        case = Case(
            found=by_key[key],
            seen=both,
            other_spelling=facts.spellings.get(key),
            spelt_all=facts.spelt_all,
            referenced=frozenset(store for store in StoreName if facts.is_referenced(store, key)),
            came_back=facts.came_back.get(key),
            adopted=facts.adopted,
            proven=facts.is_proven(key, both),
        )
        yield Group(decide(dataset, wanted, case), {key: both})


def _renames(
    dataset: Dataset, wanted: Wanted, excluded: Sequence[str], sides: Mapping[StoreName, RepairSide], facts: _Facts
) -> Iterator[Group]:
    """Decide about the records of the primary whose key the secondary cannot hold."""
    if wanted.older_than is not None or wanted.younger_than is not None:  # nobody remembers since when they are there
        return
    named = [key for key in sorted(set(excluded)) if not wanted.keys or {key, new_key(dataset, key)} & wanted.keys]
    meant = [key for key in named if wanted.means_row(cause_of(key))]
    names = {key: new_key(dataset, key) for key in meant}
    twins = Counter(new_key(dataset, key) for key in set(excluded))
    there = dict(see_both(sides, sorted({name for name in names.values() if name}))) if wanted.rename else {}
    for key, seen in see_primary(sides, meant):
        name = names[key]
        if not _is_of_users(dataset, wanted, [seen.row]):
            continue
        if not wanted.rename or name is None:
            yield Group(leave(key, Why.KEY_NEEDED, causes=[cause_of(key)]), {key: {StoreName.PRISMA: seen}})
            continue
        record = Renaming(
            old=key,
            new=name,
            seen=seen,
            there=there[name],
            place=facts.places.get(name),
            came_back=next((facts.came_back[one] for one in (key, name) if one in facts.came_back), None),
            adopted=facts.adopted,
            referenced=facts.is_referenced(StoreName.PRISMA, key),
            twice=twins[name] > 1,
        )
        decision = rename(dataset, wanted, record)
        yield Group(decision, {key: {StoreName.PRISMA: seen}, name: there[name]})
