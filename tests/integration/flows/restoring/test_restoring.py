"""Bringing one store back to a backup: what is said before, what is done, what is refused, what follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.backups import Manifest
from contracts.errors import Conflict
from contracts.replication import Gap
from contracts.vocabulary import Channel, StoreName
from flows.adopting import adopt
from flows.backup import backups_folder, known_backups, verify_backup
from flows.check import threads
from flows.sync import carry, survey
from storage.backup import arrival, restore
from storage.backup.copies import Copied
from storage.backup.journal import restorations
from storage.replication import adoption
from tests.support import backups
from tests.support.restoring import (
    Scene,
    changed,
    into_another_database,
    rows,
    under_a_trigger,
    under_a_trigger_that_tries,
    with_references,
    with_rows_that_hold,
)
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titled, titles, work_on

PRISMA, SUPABASE = StoreName
LONG = pytest.mark.soak


@pytest.mark.parametrize("store", [PRISMA, pytest.param(SUPABASE, marks=LONG)])
def test_what_would_change_is_said_and_nothing_is_changed(scene: Scene, store: StoreName) -> None:
    """Numbers of rows, and how the backup compares with the other store."""
    scene.backup(store, verified=False)
    with changed(scene, store):
        before = scene.both()
        found = scene.restore(store)
        assert scene.both() == before
    (changes,) = found.changes
    assert (changes.inserted, changes.changed, changes.deleted) == (1, 1, 1)
    assert (changes.before, changes.after) == (SEEDED, SEEDED)
    (beside,) = found.beside
    assert (beside.store, beside.same, beside.differing, beside.only_backup) == (store.other, SEEDED, 0, 0)
    assert found.state == "planned"
    assert restorations(backups_folder(scene.work.settings)) == ()


@pytest.mark.parametrize("store", [pytest.param(PRISMA, marks=LONG), SUPABASE])
def test_a_store_is_as_it_was(scene: Scene, store: StoreName) -> None:
    """Every column of every row, and what the dry run said is what was done; the other store is not touched."""
    made = scene.backup(store)
    before = rows(scene.pair, store)
    with changed(scene, store) as (one, *_):
        created_earlier(scene.pair, store, one)
        other = rows(scene.pair, store.other)
        planned = scene.restore(store)
        done = scene.restore(store, confirm=made.id)
    assert done.changes == planned.changes
    assert rows(scene.pair, store) == before
    assert rows(scene.pair, store.other) == other
    (noted,) = restorations(backups_folder(scene.work.settings))
    assert (noted.state, noted.backup, noted.changes) == ("done", made.id, done.changes)


def created_earlier(pair: Pair, store: StoreName, key: str) -> None:
    """Let a record have been created a day earlier, which triggers of the secondary allow no application to say."""
    with psycopg.connect(pair.primary if store is PRISMA else pair.secondary) as connection:
        connection.execute("SET twinstore.applying = 'on'")
        earlier = f"UPDATE {TABLE} SET created_at = created_at - interval '1 day' WHERE id::text = %s"
        assert connection.execute(earlier.encode(), [key]).rowcount == 1


def conflicts_after_adoption(scene: Scene, *, whole: bool, differing: tuple[str, ...]) -> int:
    """Adopt the stores again, by the whole command or by the doors it uses; return how many conflicts that kept."""
    replication = scene.work.replications[0]
    if whole:
        with threads() as conductor:
            done = adopt(scene.work, replication, conductor, accepted=0)
        assert (done.refusal, done.differences) == (None, len(differing))
        return done.conflicts
    primary, secondary, _ = replication.both()
    _, theirs = adoption.begin(primary, secondary, replication.book)
    return adoption.finish(secondary, replication.book, differing=differing, begun=theirs)


WHOLE = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=LONG)])


@WHOLE
def test_an_older_primary_changes_nothing_on_the_secondary(scene: Scene, *, whole: bool) -> None:
    """Not by the relay, which carries nothing over, and not when the stores are adopted: what differs is kept.

    That holds for what triggers of the application write beside, too, and for rows of which changes waited: those are
    gone, also what applications wrote while rows were copied. Of rows that it does not write they go on waiting.
    """
    adopted_as_equal(scene.work)
    made = scene.backup(PRISMA)
    replication = scene.work.replications[0]
    with changed(scene, PRISMA) as (one, other, new):
        carry(replication.both()[2])
    newer = titles(scene.pair, SUPABASE)
    assert (newer[one], other in newer, newer[new]) == ("later", False, "new")
    for key in (one, new):
        titled(scene.pair, PRISMA, key, "never carried over")
    same = keys(scene.pair, 7)[6]
    run(scene.pair, PRISMA, f"UPDATE {TABLE} SET title = title WHERE id = %s", same)
    under_a_trigger_that_tries(scene)

    def write(step: str) -> None:
        if step == "bring planning on prisma back":
            run(scene.pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", keys(scene.pair, 5)[4])

    scene.restore(PRISMA, confirm=made.id, progress=write)
    found = survey(replication).status
    assert not found.ready
    assert found.primary is not None
    assert (found.primary.gap, found.primary.dirty, found.primary.adopted_at) == (Gap.RESTORED, 1, None)
    carry(replication.both()[2])
    assert titles(scene.pair, SUPABASE) == newer
    assert conflicts_after_adoption(scene, whole=whole, differing=(one, other, new)) == 3
    carry(replication.both()[2])
    assert titles(scene.pair, SUPABASE) == newer
    ours = titles(scene.pair, PRISMA)
    assert (ours[one] == "later", other in ours, new in ours) == (False, True, False)
    assert {conflict.key: (conflict.loser or {}).get("title") for conflict in replication.book.conflicts()} == {
        one: "later",
        other: None,
        new: "new",
    }
    titled(scene.pair, PRISMA, keys(scene.pair, 9)[8], "carried over")
    carry(replication.both()[2])
    assert "carried over" in titles(scene.pair, SUPABASE).values()


@WHOLE
def test_an_older_secondary_changes_nothing_on_the_primary(scene: Scene, *, whole: bool) -> None:
    """Its rows are no proposals: what differs waits for somebody to decide."""
    adopted_as_equal(scene.work)
    made = scene.backup(SUPABASE)
    replication = scene.work.replications[0]
    with changed(scene, PRISMA) as differing:
        carry(replication.both()[2])
    newer = titles(scene.pair, PRISMA)
    scene.restore(SUPABASE, confirm=made.id)
    carry(replication.both()[2])
    assert titles(scene.pair, PRISMA) == newer
    found = survey(replication).status
    assert found.secondary is not None
    assert found.primary is not None
    assert (found.ready, found.secondary.gap, found.secondary.dirty) == (False, Gap.REPLICA, 0)
    assert found.primary.adopted_at is None
    assert conflicts_after_adoption(scene, whole=whole, differing=differing) == 3
    carry(replication.both()[2])
    assert titles(scene.pair, PRISMA) == newer


@LONG
def test_what_is_restored_and_cannot_be_noted_is_done(scene: Scene) -> None:
    """The rows are back: a note that cannot be written any more is a sentence, and no error."""
    made = scene.backup(PRISMA)
    folder = backups_folder(scene.work.settings) / "restores"

    def full(step: str) -> None:
        if step == "commit":
            folder.rename(folder.with_name("before"))
            folder.touch()

    with changed(scene, PRISMA):
        done = scene.restore(PRISMA, confirm=made.id, progress=full)
    assert (done.state, done.changes[0].changed) == ("done", 1)
    assert "could not be noted" in done.notes[0]
    assert "later" not in titles(scene.pair, PRISMA).values()


@pytest.mark.parametrize(
    ("prepare", "foreseen"),
    [
        pytest.param(with_references, "and with them rows of public.note", marks=LONG),
        (with_rows_that_hold, "held_planning_fkey of public.held refers to rows that would not be there"),
        (under_a_trigger, ""),
    ],
)
def test_a_restore_that_fails_says_what_it_leaves(
    scene: Scene, prepare: Callable[[Scene, Manifest], object], foreseen: str
) -> None:
    """What can be foreseen is said by the dry run and halts nothing; what cannot leaves the stores halted."""
    adopted_as_equal(scene.work)
    made = scene.backup(PRISMA)
    with changed(scene, PRISMA):
        prepare(scene, made)
        assert foreseen in "".join(scene.restore(PRISMA).notes)
        with pytest.raises(Conflict, match=foreseen or "would not hold the rows") as failed:
            scene.restore(PRISMA, confirm=made.id)
    primary = survey(scene.work.replications[0]).status.primary
    assert primary is not None
    assert (primary.adopted_at is not None) is bool(foreseen)
    assert ("Nothing of planning is carried over until" in failed.value.todo) is not bool(foreseen)
    noted = restorations(backups_folder(scene.work.settings))
    assert [one.state for one in noted] == ([] if foreseen else ["failed"])


def with_a_trigger_that_counts(scene: Scene) -> None:
    """Let every change be counted in a table that the trigger names without its schema."""
    run(scene.pair, PRISMA, "CREATE TABLE changes (key text)")
    run(
        scene.pair,
        PRISMA,
        "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO changes VALUES (new.id); RETURN NULL; END'",
    )
    run(
        scene.pair,
        PRISMA,
        f"CREATE TRIGGER counted AFTER UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION counted()",
    )


def test_overrides_are_named_and_noted(scene: Scene) -> None:
    """A database that is another one, and deletions that go on into other tables: both must be allowed by name.

    Triggers of the application find what they name without a schema.
    """
    made = scene.backup(PRISMA)
    with changed(scene, PRISMA) as (_, _, new):
        into_another_database(scene, made)
        with_references(scene, made)
        with_a_trigger_that_counts(scene)
        run(scene.pair, PRISMA, "INSERT INTO note VALUES (%s)", new)
        done = scene.restore(PRISMA, confirm=made.id, into_another_store=True, allow_cascade=True)
    assert done.overrides == ("--into-another-store", "--allow-cascade")
    assert restorations(backups_folder(scene.work.settings))[0].overrides == done.overrides
    with psycopg.connect(scene.pair.primary) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM changes").fetchone() == (1,)


@LONG
def test_a_store_over_rest_is_exported(
    seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how replication stands there, and the export can be restored where there is a URL of the database."""
    with work_on(seeded_pair, Channel.RPC, home, monkeypatch, remembering=True) as work:
        scene = Scene(seeded_pair, work, servers)
        adopted_as_equal(work)
        made = scene.backup(SUPABASE)
        assert made.sides[0].form == "row_export"
        assert [name for name, _ in made.sides[0].standings] == ["planning"]
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
        scene = Scene(seeded_pair, work, servers)
        before = rows(seeded_pair, SUPABASE)
        with changed(scene, SUPABASE):
            scene.restore(SUPABASE, confirm=made.id)
        assert rows(seeded_pair, SUPABASE) == before


def test_the_memory_knows_when_a_backup_was_verified(scene: Scene) -> None:
    """Before the first one nothing; then that none is verified; then when it was."""
    memory, settings = scene.work.memory, scene.work.settings
    assert memory is not None
    assert memory.backups.known() is None
    made = scene.backup(PRISMA, verified=False)
    known = memory.backups.known()
    assert known is not None
    assert known.verified_at is None
    drill = backups.on_servers(scene.servers)
    _, found = verify_backup(settings, made.id[:20], memory=memory, servers=drill)
    known = memory.backups.known()
    assert known is not None
    assert known.verified_at == found.at
    (listed,) = known_backups(settings)
    assert listed.verified_at == found.at


def test_a_restore_may_be_idle_only_until_it_locks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits while the scratch server hashes, for as long as that takes; a table is never held for as long."""
    made = scene.backup(PRISMA)
    digest, before = arrival._digest, restore._before
    limits = []

    def limit_of(connection: psycopg.Connection[Any]) -> None:
        limits.append(connection.execute("SHOW idle_in_transaction_session_timeout").fetchone())

    def hashed(connection: psycopg.Connection[Any], *rest: Any) -> Any:
        limit_of(connection)
        return digest(connection, *rest)

    def locked(copy: Copied, **rest: Any) -> int:
        limit_of(copy.connection)
        return before(copy, **rest)

    monkeypatch.setattr(arrival, "_digest", hashed)
    monkeypatch.setattr(restore, "_before", locked)
    with changed(scene, PRISMA):
        assert scene.restore(PRISMA, confirm=made.id).state == "done"
    assert limits == [("0",), ("0",), ("15min",)]
