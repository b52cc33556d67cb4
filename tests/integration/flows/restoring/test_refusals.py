"""What must not be restored, and is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.backups import Manifest
from contracts.errors import ConfigurationError, Conflict, Refused, SchemaMismatch, TwinstoreError
from contracts.vocabulary import StoreName
from flows.backup import backups_folder, create_backup, verify_backup
from storage.state.leases import Held
from tests.support import backups
from tests.support.restoring import (
    Scene,
    changed,
    into_another_database,
    rows,
    under_a_trigger,
    under_a_trigger_that_waits,
    with_references,
    with_rows_that_hold_late,
)
from tests.support.two_stores import TABLE, keys, run, titled

PRISMA, SUPABASE = StoreName
LONG = pytest.mark.soak


def _damaged(scene: Scene, made: Manifest) -> dict[str, Any]:
    path = backups_folder(scene.work.settings) / made.id / backups.DUMP[PRISMA]
    path.write_bytes(path.read_bytes()[:-1])
    return {}


def _of_another_environment(scene: Scene, _made: Manifest) -> dict[str, Any]:
    scene.work = replace(scene.work, stores=replace(scene.work.stores, environment="staging"))
    return {}


def _confirmed_otherwise(_scene: Scene, _made: Manifest) -> dict[str, Any]:
    return {"confirm": "yes"}


def _of_another_dataset(_scene: Scene, _made: Manifest) -> dict[str, Any]:
    return {"datasets": ("readings",)}


def _without_a_column(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} DROP COLUMN project_id")
    return {}


def _with_another_column(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"DELETE FROM {TABLE}")
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ADD COLUMN needed integer NOT NULL")
    return {}


def _of_a_type_that_reads_otherwise(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ALTER version TYPE numeric(10,2)")
    return {}


def _under_a_check(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"DELETE FROM {TABLE}")
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ADD CHECK (title = 'new')")
    return {}


def _of_a_narrower_type(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"DELETE FROM {TABLE}")
    run(scene.pair, PRISMA, "CREATE DOMAIN narrow AS text CHECK (value = 'new')")
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ALTER title TYPE narrow")
    return {}


@pytest.mark.parametrize(
    ("prepare", "error", "sentence"),
    [
        (_damaged, Refused, "is damaged"),
        pytest.param(_of_another_environment, Refused, "is of default, and these stores are staging", marks=LONG),
        (into_another_database, Refused, "is not known to be the database"),
        (_confirmed_otherwise, ConfigurationError, "and 'yes' was confirmed"),
        pytest.param(_of_another_dataset, ConfigurationError, "does not hold readings", marks=LONG),
        pytest.param(_without_a_column, SchemaMismatch, "has no column project_id", marks=LONG),
        pytest.param(_with_another_column, SchemaMismatch, "needs a value in needed", marks=LONG),
        pytest.param(under_a_trigger, Conflict, "would not hold the rows of the backup", marks=LONG),
        (under_a_trigger_that_waits, Conflict, "would not hold the rows of the backup"),
        pytest.param(_under_a_check, Conflict, "planning_title_check of public.planning does not allow", marks=LONG),
        (_of_a_type_that_reads_otherwise, SchemaMismatch, "its rows would not be the same to the contract"),
        (_of_a_narrower_type, Conflict, r"narrow_check of public.narrow \(a type\) does not allow a row"),
        (with_references, Conflict, "and with them rows of public.note"),
        (with_rows_that_hold_late, Conflict, "of public.held refers to rows that would not be there"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_must_not_be_restored_is_refused(
    scene: Scene,
    prepare: Callable[[Scene, Manifest], dict[str, Any]],
    error: type[TwinstoreError],
    sentence: str,
) -> None:
    """With a sentence, and nothing is changed."""
    made = scene.backup(PRISMA)
    with changed(scene, PRISMA):
        wanted = {"confirm": made.id, **prepare(scene, made)}
        before = scene.both()
        with pytest.raises(error, match=sentence):
            scene.restore(PRISMA, **wanted)
        assert scene.both() == before


def test_a_backup_that_turns_out_to_be_damaged_counts_as_verified_no_more(scene: Scene) -> None:
    """The alert about backups that nobody verified must not rest on it."""
    assert scene.work.memory is not None
    made, book = scene.backup(PRISMA), scene.work.memory.backups
    book.verified(made.id, datetime.now(UTC), made_at=made.created_at)
    _damaged(scene, made)
    with pytest.raises(Refused, match="is damaged"):
        scene.restore(PRISMA)
    known = book.known()
    assert known is not None
    assert known.verified_at is None


@pytest.mark.parametrize("sentence", ["is supabase", "lead to one database"])
def test_the_other_store_is_never_taken_for_a_store(scene: Scene, sentence: str) -> None:
    """Where the URL of the primary leads to the secondary, nothing is backed up or restored, whatever is allowed."""
    made = scene.backup(PRISMA)
    ours, theirs = (scene.work.stores.urls[store] for store in StoreName)
    ours = theirs if "one" in sentence else replace(ours, dsn=theirs.dsn)  # or by another name of its host
    scene.work = replace(scene.work, stores=replace(scene.work.stores, urls={PRISMA: ours, SUPABASE: theirs}))
    before = rows(scene.pair, SUPABASE)
    with pytest.raises(ConfigurationError, match=sentence):
        scene.backup(PRISMA)
    with pytest.raises(ConfigurationError, match=sentence):
        scene.restore(PRISMA, confirm=made.id, into_another_store=True)
    assert rows(scene.pair, SUPABASE) == before


@LONG
def test_rows_that_exchange_unique_values_are_refused(scene: Scene) -> None:
    """By the name of what does not let them: rows to which others may refer are not taken away for it."""
    run(scene.pair, PRISMA, f"CREATE TABLE referring (planning text REFERENCES {TABLE})")
    one, other = keys(scene.pair, 2)
    for key in (one, other):
        titled(scene.pair, PRISMA, key, key)
    run(scene.pair, PRISMA, f"CREATE UNIQUE INDEX once ON {TABLE} (title) WHERE title IN ('{one}', '{other}')")
    made = scene.backup(PRISMA)
    for key, title in ((one, "aside"), (other, one), (one, other)):
        titled(scene.pair, PRISMA, key, title)
    with pytest.raises(Conflict, match=r"once of public\.planning does not let rows exchange their values"):
        scene.restore(PRISMA, confirm=made.id)


def test_what_was_never_verified_is_refused(scene: Scene) -> None:
    """A dry run says what would change; doing it needs a drill that passed."""
    made = scene.backup(PRISMA, verified=False)
    with pytest.raises(Refused, match="was never proven to restore"):
        scene.restore(PRISMA, confirm=made.id)


@LONG
def test_a_side_is_restored_from_a_backup_that_lost_the_other(scene: Scene) -> None:
    """Whether a drill of both noted the loss or not; the other store is refused, and an earlier drill counts."""
    settings, servers = scene.work.settings, backups.on_servers(scene.servers)
    made = create_backup(settings, scene.work.stores)
    assert verify_backup(settings, None, servers=servers)[1].proven == (PRISMA, SUPABASE)
    before = scene.both()
    (backups_folder(settings) / made.id / backups.DUMP[SUPABASE]).unlink()
    for _ in range(2):
        run(scene.pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = (SELECT min(id) FROM {TABLE})")
        assert scene.restore(PRISMA).unproven == ""
        assert scene.restore(PRISMA, confirm=made.id).changes[0].inserted == 1
        assert scene.both() == before
        found = verify_backup(settings, None, servers=servers)[1]
        assert (found.passed, found.proven) == (False, (PRISMA,))
    with pytest.raises(Refused, match=r"supabase\.dump is missing"):
        scene.restore(SUPABASE)  # a dry run notes it, and forgets nothing of the other side
    assert scene.restore(PRISMA).unproven == ""


def test_a_store_over_rest_is_not_restored(scene: Scene) -> None:
    """Rows cannot be replaced there in one transaction; the sentence names the setting that would help."""
    scene.backup(SUPABASE)
    by_sql = scene.work.stores.urls
    scene.work = replace(scene.work, stores=replace(scene.work.stores, urls={PRISMA: by_sql[PRISMA]}))
    with pytest.raises(ConfigurationError, match="over REST") as refused:
        scene.restore(SUPABASE)
    assert "SUPABASE_DB_URL" in refused.value.todo


def test_nobody_else_works_on_the_dataset_meanwhile(scene: Scene) -> None:
    """A restore waits for no check, and says who holds the lease."""
    made = scene.backup(PRISMA)
    assert scene.work.memory is not None
    with (
        scene.work.memory.lease("planning", "check", owner="somebody", now=lambda: datetime.now(UTC)),
        pytest.raises(Held, match="check by somebody"),
    ):
        scene.restore(PRISMA, confirm=made.id)
