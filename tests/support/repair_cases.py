"""Pairs of planning rows that differ in every way that is known, and what is known of their key."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import strategies as st

from contracts.repair import Mode
from contracts.repair.plan import Texts
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from storage.repair.both_sided import Pair
from storage.repair.decisions import Decision
from storage.repair.ports import Seen
from storage.repair.wanted import Case, Found, Wanted
from tests.support.row_pairs import BODY, KEY, OWNER, PRISMA, PROJECT, SUPABASE, TextRow, body, make_row

TITLE = str(BODY["title"])
ENCODED = json.dumps(body())
_SHORT: dict[str, Any] = {"finalPrompt": "A street at dawn"}
BODIES = (
    body(),
    ENCODED,
    json.dumps(ENCODED),
    json.dumps(body(finalPrompt="Another one")),
    body(id=..., type=..., title=..., metadata=...),
    body(metadata=...),
    body(id=KEY.upper()),
    body(id="another"),
    body(finalPrompt=..., final_prompt=BODY["finalPrompt"]),
    body(durationSec="12.5"),
    body(durationSec=12),
    body(durationSec=77),
    body(title=TITLE.upper()),
    body(keywords=["rain"]),
    body(metadata=json.dumps(BODY["metadata"])),
    body(**_SHORT),
    "[]",
    "null",
    '"prose"',
)
METADATA = (
    json.dumps(BODY["metadata"]),
    json.dumps(json.dumps(BODY["metadata"])),
    json.dumps({**BODY["metadata"], "version": "3"}),
    '{"created_at": 1772359200123}',
    "null",
    None,
)
VALUES: dict[str, tuple[str | None, ...]] = {
    "type": ("prompt", "story", "podcast"),
    "title": (
        TITLE,
        TITLE.upper(),
        f"{TITLE}  ",
        unicodedata.normalize("NFD", TITLE),
        "",
        "   ",
        "x" * 300,
        "x" * 200,
        "x" * 600,
        "prompt - 2026-01-15T04:05:06.789Z",
        "prompt - 2026-01-15T04:05:07.112Z",
        "Renamed",
    ),
    "content": BODIES,
    "status": ("active", "processing", "in-progress", "In Progress", "queued", "completed"),
    "user_id": (OWNER, None, PROJECT),
    "project_id": (PROJECT, None, OWNER),
    "version": ("3", "4", "0"),
    "metadata": METADATA,
    "storage": ('{"prisma": {"saved": true}}', '{"prisma": {"saved": "true"}}', '"{}"', "{}", None),
    "source": ("planning_register", "", None),
    "storage_status": ("saved", "pending", "lost", None),
}
ONLY_ON_PRISMA: dict[str, tuple[str | None, ...]] = {
    "user_id": ("guest", "user_17", OWNER.upper()),
    "project_id": ("project-1", PROJECT.upper()),
    "created_at": ("2026-03-01 10:00:00.123", "2026-03-01 10:00:00", "2026-03-01 19:00:00.123", "2026-03-05 17:31:13"),
    "updated_at": ("2026-03-05 17:31:12.456", "2026-03-05 17:31:20"),
}
ONLY_ON_SUPABASE: dict[str, tuple[str | None, ...]] = {
    "version": (None,),
    "created_at": ("2026-03-01 10:00:00.1236+00", "2026-03-01 19:00:00.123+00", "2026-03-05 17:31:12.456+00", None),
    "updated_at": ("2026-03-05 17:31:23+00", "2026-03-05 17:31:12.456+00", "infinity", None),
}
_EXTRA = {PRISMA: ONLY_ON_PRISMA, SUPABASE: ONLY_ON_SUPABASE}


def values_on(store: StoreName) -> dict[str, tuple[str | None, ...]]:
    """Return the values that a row of a store may hold, by column."""
    extra = _EXTRA[store]
    return {name: (*VALUES.get(name, ()), *extra.get(name, ())) for name in (*VALUES, *extra)}


@st.composite
def rows(draw: st.DrawFn, store: StoreName) -> TextRow:
    """Draw a row of a store: usual but for up to four columns."""
    known = values_on(store)
    names = draw(st.lists(st.sampled_from(sorted(set(known))), max_size=4, unique=True))
    return make_row(store, **{name: draw(st.sampled_from(known[name])) for name in names})


@st.composite
def both_rows(draw: st.DrawFn) -> dict[StoreName, TextRow]:
    """Draw the rows of one key on both stores."""
    return {store: draw(rows(store)) for store in StoreName}


LINES = st.one_of(st.none(), st.integers(1, 9))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw all that may be known of a key."""
    held = draw(st.sampled_from([*([(True, True)] * 4), (True, False), (False, True), (False, False)]))
    drawn = draw(both_rows())
    seen = {
        store: Seen(drawn[store] if here else None, draw(LINES) if draw(st.booleans()) else None)
        for store, here in zip(StoreName, held, strict=True)
    }
    found = Found(
        key=KEY,
        kind=kind_of(seen[PRISMA].row, seen[SUPABASE].row),
        runs_seen=draw(st.integers(1, 3)),
        causes=draw(st.sampled_from([(), (Cause.WRITE_WINDOW,)])),
    )
    return Case(
        found=found,
        seen=seen,
        other_spelling=draw(st.sampled_from([None, None, KEY.upper()])),
        referenced=draw(st.sampled_from([frozenset[StoreName](), frozenset(StoreName)])),
        came_back=draw(st.sampled_from([None, None, "A trigger stands in the way."])),
        adopted=draw(st.booleans()),
        proven=draw(st.booleans()),
    )


def kind_of(primary: Texts | None, secondary: Texts | None) -> DifferenceKind:
    """Return how a check finds rows that differ."""
    if primary is None:
        return DifferenceKind.ONLY_SECONDARY
    return DifferenceKind.ONLY_PRIMARY if secondary is None else DifferenceKind.DIFFERING


def wanted(mode: Mode, source: StoreName | None = PRISMA, **rest: Any) -> Wanted:
    """Return what is asked for; without a source for three-way."""
    return Wanted(mode=mode, source=None if mode is Mode.THREE_WAY else source, **rest)


def case_of(primary: Texts | None, secondary: Texts | None, **rest: Any) -> Case:
    """Return what is known of a key with these rows, which two runs saw and of which nothing waits."""
    found = Found(key=KEY, kind=kind_of(primary, secondary), runs_seen=2, causes=rest.pop("causes", ()))
    return Case(found=found, seen={PRISMA: Seen(primary, None), SUPABASE: Seen(secondary, None)}, **rest)


def pair_of(drawn: dict[StoreName, TextRow], source: StoreName | None) -> Pair:
    """Return the rows of a key with the source that counts."""
    return Pair(KEY, {store: drawn[store] for store in StoreName}, source)


def after(case: Case, decision: Decision) -> dict[StoreName, Texts | None]:
    """Return the rows of a key once all steps were taken."""
    taken = {store: case.seen[store].row for store in StoreName}
    for draft in decision.drafts:
        assert taken[draft.store] == draft.before
        taken[draft.store] = draft.after
    return taken
