"""What becomes of one key: steps before they have their place in a plan, and what is left to people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.dataset import Dataset
from contracts.repair import Act, Left, Mode, Why, Winner
from contracts.repair.plan import Texts
from contracts.vocabulary import Cause, StoreName
from storage.parity.causes import explain_one_sided
from storage.repair.courses import MAY, Doing
from storage.repair.wanted import Wanted

SENTENCES: Mapping[Why, str] = {
    Why.UNDER_WAY: "A change of it waits to be carried over: `twinstore sync run` does that.",
    Why.IN_CONFLICT: "Both sides changed it: `twinstore sync conflicts` shows both, and somebody has to decide.",
    Why.DEAD_LETTER: "Its change could not be carried over: see `twinstore sync dead-letters`.",
    Why.NO_WINNER: "Nothing tells which side is right: plan with `--mode upsert-only`, whose source counts, or correct "
    "it by hand.",
    Why.KEY_NEEDED: "Supabase cannot hold its key as prisma spells it: `--mode source-of-truth --rename-keys` "
    "gives the record another one.",
    Why.REFERENCED: "Rows of other tables hang on it: take care of those first.",
    Why.SETTLED: "It does not differ any more.",
}
"""What is said of a key that is left, where that is the same for every key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step before it has its place in a plan.

    Attributes:
        store: The store that is written.
        key: Key of the row.
        before: The row as the store holds it.
        after: The row as it is to be.
        winner: Why `after` is right.
        causes: Why the rows differ.
        reason: One sentence, without values.
    """

    store: StoreName
    key: str
    before: Texts | None
    after: Texts | None
    winner: Winner
    causes: tuple[Cause | str, ...]
    reason: str

    @property
    def act(self) -> Act:
        """What is done."""
        if self.before is None:
            return Act.INSERT
        return Act.DELETE if self.after is None else Act.UPDATE


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a key; nothing at all where it was not asked for.

    Attributes:
        drafts: Its steps, in the order in which they are taken.
        left: What is left to people.
    """

    drafts: tuple[Draft, ...] = ()
    left: tuple[Left, ...] = ()


def leave(key: str, why: Why, words: str | None = None, causes: Collection[str] = ()) -> Decision:
    """Return the decision to leave a key to people."""
    said = SENTENCES[why] if words is None else words
    return Decision(
        left=(Left(key=key, why=why, sentence=said, causes=tuple(sorted({str(cause) for cause in causes}))),)
    )


def may(wanted: Wanted, doing: Doing) -> bool:
    """Tell whether the mode allows something."""
    return doing in MAY[wanted.mode]


def not_by(wanted: Wanted, what: str, doing: Doing) -> str:
    """Return the sentence for what the mode does not allow, with the most careful mode that does."""
    able = next(mode for mode in (Mode.UPSERT_ONLY, Mode.SOURCE_OF_TRUTH) if doing in MAY[mode])
    return f"The mode {wanted.mode} does not {what}: `--mode {able}` does."


def refused_columns(dataset: Dataset, store: StoreName, row: Texts) -> frozenset[str]:
    """Return the columns whose values a store refuses; only of the secondary anything is known."""
    if store is StoreName.PRISMA:
        return frozenset()
    (why,) = explain_one_sided(dataset, StoreName.PRISMA, row, other_keys_raw={})
    return frozenset(why.fields) if why.cause is Cause.REFUSED_BY_STORE else frozenset()


def capital(words: str) -> str:
    """Return words that begin a sentence."""
    return words[:1].upper() + words[1:]
