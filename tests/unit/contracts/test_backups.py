"""Which backups stay when old ones are removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.backups import (
    Damage,
    DatasetContent,
    Flaw,
    Form,
    KeptBackup,
    KeptSide,
    Manifest,
    Verification,
    made_at,
    plan_prune,
)
from contracts.vocabulary import Channel, StoreName

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FLAW = Flaw(damage=Damage.SIZE, text="shorter")


def backup(
    days: float,
    *,
    verified: bool | None = None,
    in_use: bool = False,
    readable: bool = True,
    environment: str = "e",
    held: tuple[tuple[StoreName, str], ...] = ((StoreName.PRISMA, "planning"),),
    identity: str = "",
    foreign: bool = False,
    unread: bool = False,
    damaged: tuple[StoreName, ...] = (),
    lacking: tuple[StoreName, ...] = (),
    form: Form = Form.DUMP,
) -> KeptBackup:
    """Return a backup of some age; `verified` is False for one with a flaw, and only some sides may be damaged."""
    at = NOW - timedelta(days=days)
    found = None
    if verified is not None:
        proven = tuple(store for store in StoreName if verified and store not in damaged)
        flaws = () if verified and not damaged else (FLAW,)
        found = Verification(at=at, seconds=1.0, seal="", proven=proven, flaws=flaws)
    name = f"{at:%Y%m%dT%H%M%S}000Z-0000"
    sides = tuple(replace(side_of(store, dataset), identity=identity, form=form) for store, dataset in held)
    manifest = Manifest(id=name, environment=environment, version="0", created_at=at, seconds=1.0, sides=sides)
    known = manifest if readable and not foreign and not unread else None
    return KeptBackup(
        id=name,
        manifest=known,
        verification=found,
        in_use=in_use,
        foreign=foreign,
        unread=unread,
        trouble="a file is missing" if lacking else "",
        lacking=lacking,
    )


def side_of(store: StoreName, dataset: str) -> KeptSide:
    """Return a side that holds one dataset."""
    table = ("public", dataset)
    content = DatasetContent(
        dataset=dataset, table=table, rows=1, excluded=0, kind="record", form="", probe="", digest=""
    )
    return KeptSide(store=store, channel=Channel.SQL, form=Form.DUMP, files=(), taken_at=NOW, datasets=(content,))


def stay(*backups: KeptBackup, keep: int = 2, keep_days: float = 30.0) -> dict[int, str]:
    """Return the places of those that stay, with the reasons; all others are removed."""
    kept, gone = plan_prune(backups, NOW, keep=keep, keep_days=keep_days)
    assert {one.id for one in (*kept, *gone)} == {one.id for one in backups}
    assert len(kept) + len(gone) == len(backups)
    names = [one.id for one in backups]
    return {names.index(one.id): one.why for one in kept}


def test_nothing_of_nothing() -> None:
    """Without backups nothing stays and nothing goes."""
    assert plan_prune((), NOW, keep=1, keep_days=1) == ((), ())


def test_the_newest_stay_by_number() -> None:
    """As many as are kept, in whatever order they come."""
    assert set(stay(backup(3), backup(1), backup(2))) == {1, 2}


def test_old_ones_go_by_age_even_below_the_number() -> None:
    """Both limits count."""
    assert set(stay(backup(1), backup(40), keep=9)) == {0}


def test_the_newest_one_stays_however_old() -> None:
    """The only backup is better than none."""
    assert stay(backup(400)) == {0: "the newest one"}


def test_the_last_verified_one_stays() -> None:
    """Beyond the number and the age; an older verified one does not, nor one that is damaged since."""
    damaged, verified, older = backup(35, verified=False), backup(100, verified=True), backup(200, verified=True)
    assert stay(backup(1), backup(2), damaged, verified, older) == {
        0: "the newest one",
        1: "among the newest 2",
        3: "the last verified one",
    }


@pytest.mark.parametrize(
    "other",
    [
        {"held": ((StoreName.SUPABASE, "planning"),)},
        {"held": ((StoreName.PRISMA, "readings"),)},
        {"environment": "staging"},
        {"identity": "another database"},
    ],
)
def test_the_last_verified_one_of_each_stays(other: dict[str, Any]) -> None:
    """Of each store, database, dataset and environment: none replaces another."""
    backups = (backup(1, verified=True), backup(2), backup(100, verified=True, **other))
    assert stay(*backups, keep=1)[2] == "the last verified one"


def test_environments_do_not_push_each_other_out() -> None:
    """The number is that of one environment."""
    theirs = [backup(days, environment="staging") for days in (0.1, 0.2)]
    assert set(stay(*theirs, backup(1), backup(2), backup(3))) == {0, 1, 2, 3}


def test_a_clock_that_was_ahead_removes_nothing() -> None:
    """What is dated in the future takes no place of what is not, and stays."""
    found = stay(backup(-300), backup(-400), backup(1), backup(2), backup(3))
    assert found == {
        0: "dated in the future",
        1: "dated in the future",
        2: "the newest one",
        3: "among the newest 2",
    }


@pytest.mark.parametrize("later", [backup(-300, verified=True), backup(1, verified=True, lacking=(StoreName.PRISMA,))])
def test_what_may_be_none_replaces_no_verified_one(later: KeptBackup) -> None:
    """One that is dated in the future, or one whose files are not there any more."""
    assert stay(later, backup(0.5), backup(100, verified=True))[2] == "the last verified one"


BOTH = ((StoreName.PRISMA, "planning"), (StoreName.SUPABASE, "planning"))
LOST = (StoreName.SUPABASE,)


@pytest.mark.parametrize("lost", [{"lacking": LOST}, {"damaged": LOST}], ids=["seen", "drilled"])
def test_one_that_is_whole_for_one_store_stays_for_it(lost: dict[str, Any]) -> None:
    """Of a verified one that lost a side the other may be all that there is, whether a drill saw the loss or not."""
    half = backup(100, verified=True, held=BOTH, **lost)
    assert stay(backup(1, held=BOTH), half, keep=1)[1] == "the last verified one"
    whole = backup(1, verified=True, held=BOTH)
    assert set(stay(whole, half, keep=1)) == {0}
    assert set(stay(half, backup(200, verified=True, held=BOTH), keep=1)) == {0, 1}


def test_an_export_replaces_no_dump() -> None:
    """It holds rows of datasets and nothing else; a dump replaces an export."""
    dump, export = backup(70, verified=True), backup(1, verified=True, form=Form.EXPORT)
    assert stay(export, dump, keep=1) == {0: "the last verified one", 1: "the last verified one"}
    assert set(stay(replace(export, id=dump.id), backup(1, verified=True), keep=1)) == {1}


@pytest.mark.parametrize(("unknown", "why"), [("foreign", "made by another version"), ("unread", "cannot be read now")])
def test_one_that_nobody_can_judge_stays(unknown: str, why: str) -> None:
    """Nobody can tell here, or now, whether it is the last good one; nor does it replace another."""
    one: dict[str, Any] = {unknown: True}
    assert stay(backup(1), backup(100, **one), keep=1)[1] == why
    assert stay(backup(1, verified=True, **one), backup(2), backup(100, verified=True), keep=1)[2] == (
        "the last verified one"
    )


def test_one_in_use_stays() -> None:
    """Whoever verifies or restores it is not disturbed."""
    assert stay(backup(1), backup(100, in_use=True), keep=1)[1] == "in use"


@pytest.mark.parametrize(("days", "stays"), [(2, True), (50, False)])
def test_one_that_cannot_be_read_is_judged_by_its_id(days: float, *, stays: bool) -> None:
    """Its age stands in its name."""
    assert (1 in stay(backup(1), backup(days, readable=False), keep=9)) is stays


def test_the_age_of_an_id() -> None:
    """To the second, in UTC; another name has none."""
    assert made_at(backup(0).id) == NOW
    assert made_at("restores") is None
