"""Deciding about two rows of one key that differ: what the rows tell comes first, then the source counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.dataset import Dataset
from contracts.repair import Left, Why, Winner
from contracts.repair.plan import Texts
from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.canonical import canonical_value
from storage.parity.agreement import agrees
from storage.parity.causes.clusters import sentence
from storage.repair.courses import Doing
from storage.repair.decisions import SENTENCES, Decision, Draft, capital, leave, may, not_by, refused_columns
from storage.repair.fixing import settle
from storage.repair.forms import held
from storage.repair.settled import Note, Settled, Undecided, cannot_hold, explained
from storage.repair.wanted import Wanted


@dataclass(slots=True)
class Pair:
    """The rows of a key on both stores, with what they may become.

    Attributes:
        key: The key.
        rows: Per store, the row as it stands.
        source: The store that counts where nothing else tells; None where nothing does.
        winner: Why it counts.
    """

    key: str
    rows: dict[StoreName, Texts]
    source: StoreName | None
    winner: Winner = Winner.SOURCE
    settled: Settled = field(init=False)


def decide_pair(dataset: Dataset, wanted: Wanted, pair: Pair) -> Decision:
    """Decide what becomes of two rows that differ.

    Raises:
        ProtocolError: A value of a row is none of its column's type.
    """
    if may(wanted, Doing.FILL) and not may(wanted, Doing.UPDATE):
        pair.settled = Settled(rows={store: dict(row) for store, row in pair.rows.items()})
        _fill(dataset, wanted, pair)
    elif may(wanted, Doing.UPDATE):
        pair.settled = settle(dataset, pair.rows, fixes=wanted.fixes, chosen=wanted.means)
        _follow(dataset, wanted, pair)
    else:
        causes = _causes(explained(dataset, pair.rows))
        meant = any(wanted.means(name, found) for name, found in causes.items())
        every = {cause for found in causes.values() for cause in found}
        words = not_by(wanted, "change rows that are there", Doing.UPDATE)
        return leave(pair.key, Why.MODE, words, every) if meant else Decision()
    _keep_to_what_is_held(dataset, pair)
    _leave_the_rest(dataset, wanted, pair)
    return _told(dataset, pair)


def _causes(told: Mapping[str, Sequence[Explanation]]) -> dict[str, tuple[Cause, ...]]:
    return {name: tuple(dict.fromkeys(one.cause for one in found)) for name, found in told.items()}


def _fill(dataset: Dataset, wanted: Wanted, pair: Pair) -> None:
    """Give the target the values that it lacks and the source has."""
    source, target = pair.source, wanted.target
    told = pair.settled.explain(dataset)
    for name, causes in _causes(told).items():
        if source is None or target is None or not wanted.means(name, causes):
            continue
        if pair.rows[target][name] is not None or pair.rows[source][name] is None:
            pair.settled.undecided[name] = Undecided(
                Why.MODE, not_by(wanted, f"change `{name}`, which has a value on {target}", Doing.UPDATE)
            )
            continue
        words = "; ".join(map(sentence, told[name]))
        _write(dataset, pair, name, target, Note(Winner.FILLED, words))


def _follow(dataset: Dataset, wanted: Wanted, pair: Pair) -> None:
    """Let the source count for what still differs once everything is put right that the rows tell."""
    told = pair.settled.explain(dataset)
    for name, causes in _causes(told).items():
        if name in pair.settled.undecided or not wanted.means(name, causes):
            continue
        if pair.source is None:
            pair.settled.undecided[name] = Undecided(Why.NO_WINNER, SENTENCES[Why.NO_WINNER])
            continue
        words = "; ".join(map(sentence, told[name]))
        _write(dataset, pair, name, pair.source.other, Note(pair.winner, words))


def _write(dataset: Dataset, pair: Pair, name: str, target: StoreName, note: Note) -> None:
    """Have a store take over a value of the other one, unless it cannot hold it."""
    try:
        text = held(dataset.column(name), target, pair.settled.rows[target.other][name])
    except ValueError:
        pair.settled.undecided[name] = Undecided(Why.CANNOT_HOLD, cannot_hold(target, name))
        return
    pair.settled.write(target, name, text, note)


def _keep_to_what_is_held(dataset: Dataset, pair: Pair) -> None:
    """Take back what the secondary would refuse: the columns, or all of its changes where others are the reason."""
    store = StoreName.SUPABASE
    before, after = pair.rows[store], pair.settled.rows[store]
    changed = {name for name in after if after[name] != before[name]}
    while changed and (refused := refused_columns(dataset, store, after)):
        for name in (changed & refused) or set(changed):
            after[name] = before[name]
            changed.discard(name)
            pair.settled.notes.pop((store, name), None)
            pair.settled.undecided[name] = Undecided(Why.CANNOT_HOLD, cannot_hold(store, min(refused)))


def _leave_the_rest(dataset: Dataset, wanted: Wanted, pair: Pair) -> None:
    """Name what still differs though it was meant: the source holds what the target takes for something else."""
    settled = pair.settled
    for name, causes in settled.causes.items():
        if name in settled.undecided or not wanted.means(name, causes):
            continue
        column = dataset.column(name)
        one, other = (canonical_value(column, settled.rows[store][name]) for store in StoreName)
        if not agrees(column, one, other):
            store = wanted.target or StoreName.SUPABASE
            settled.undecided[name] = Undecided(Why.CANNOT_HOLD, cannot_hold(store, name))


def _told(dataset: Dataset, pair: Pair) -> Decision:
    """Return the steps that lead to what was settled, and what is left."""
    settled = pair.settled
    drafts = [_draft(dataset, pair, store) for store in StoreName if settled.rows[store] != dict(pair.rows[store])]
    left = [
        Left(
            key=pair.key,
            why=one.why,
            sentence=one.sentence,
            causes=tuple(sorted(map(str, settled.causes.get(name, ())))),
        )
        for name, one in settled.undecided.items()
    ]
    return Decision(tuple(drafts), tuple(dict.fromkeys(left)))


def _draft(dataset: Dataset, pair: Pair, store: StoreName) -> Draft:
    settled, before = pair.settled, pair.rows[store]
    after = {column.name: settled.rows[store][column.name] for column in dataset.columns}
    changed = [name for name in after if after[name] != before[name]]
    notes = [settled.notes[store, name] for name in changed]
    causes = {cause for name in changed for cause in settled.causes.get(name, ())}
    words = dict.fromkeys(f"{capital(note.words)}: {_counts(note.winner, store)}." for note in notes)
    return Draft(
        store=store,
        key=pair.key,
        before=before,
        after=after,
        winner=min((note.winner for note in notes), key=_WEAKEST.index),
        causes=tuple(sorted(causes)),
        reason=" ".join(words),
    )


_WEAKEST = (Winner.CHANGED, Winner.SOURCE, Winner.FILLED, Winner.FIXED, Winner.AT_FAULT)
"""Winners from the one that says least about the values: it stands for a step that has several."""


def _counts(winner: Winner, store: StoreName) -> str:
    """Say what counts for a value that a store gets."""
    match winner:
        case Winner.SOURCE:
            return f"{store.other} is the source of truth"
        case Winner.CHANGED:
            return f"only {store.other} changed"
        case Winner.FILLED:
            return f"{store.other} has the value"
        case Winner.AT_FAULT:
            return f"what {store.other} holds counts"
        case _:
            return f"the value is put right on {store}"
