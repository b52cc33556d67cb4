"""Bringing one store back to a backup: what is said before, what is done, what is refused, what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.backups import Manifest, Restoration
from contracts.errors import ConfigurationError, Conflict, Refused, SchemaMismatch, TwinstoreError
from contracts.replication import Gap
from contracts.vocabulary import Channel, StoreName
from flows.adopting import adopt
from flows.backup import backups_folder, create_backup, known_backups, verify_backup
from flows.check import threads
from flows.opening import Opened
from flows.restoring import Wanted, Work, restore_backup
from flows.sync import carry, survey
from storage.backup.journal import restorations
from storage.replication import adoption
from storage.state.leases import Held
from tests.support import backups
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titled, titles, work_on

PRISMA, SUPABASE = StoreName
LONG = pytest.mark.soak


@dataclass
class Scene:
    """Two stores, and backups of them.

    Attributes:
        pair: The databases.
        work: They as a command opened them.
        servers: Servers for drills.
    """

    pair: Pair
    work: Opened
    servers: Servers
    said: list[str] = field(default_factory=list)

    def backup(self, store: StoreName, *, verified: bool = True) -> Manifest:
        """Make a backup of one store, and note that a drill found nothing."""
        made = create_backup(self.work.settings, self.work.stores, sides=[store], memory=self.work.memory)
        if verified:
            backups.proven(backups_folder(self.work.settings), made.id)
        return made

    def restore(
        self, store: StoreName, *, confirm: str = "", progress: Callable[[str], None] | None = None, **wanted: Any
    ) -> Restoration:
        """Restore the newest backup, or say what that would change."""
        assert self.work.memory is not None
        work = Work(
            settings=self.work.settings,
            stores=self.work.stores,
            memory=self.work.memory,
            servers=backups.on_servers(self.servers),
            progress=progress or self.said.append,
        )
        return restore_backup(work, replace(Wanted(backup=None, store=store, confirm=confirm), **wanted))

    def both(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the titles of all records of both stores."""
        return titles(self.pair, PRISMA), titles(self.pair, SUPABASE)


@pytest.fixture
def scene(seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two stores that were never adopted."""
    with work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
        yield Scene(seeded_pair, work, servers)


@contextmanager
def changed(scene: Scene, store: StoreName) -> Iterator[tuple[str, str, str]]:
    """Change a record, delete one, and add one."""
    one, other, _ = keys(scene.pair, 3, store)
    new = "00000000-0000-4000-8000-0000000000ff"
    titled(scene.pair, store, one, "later")
    run(scene.pair, store, f"DELETE FROM {TABLE} WHERE id::text = %s", other)
    columns = "id, type, title, content, updated_at"
    values = f"'{new}', 'story', 'new', '{{}}', now()"
    run(scene.pair, store, f"INSERT INTO {TABLE} ({columns}) VALUES ({values})")
    yield one, other, new


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


def rows(pair: Pair, store: StoreName) -> list[tuple[object, ...]]:
    """Return all rows with all columns, as texts."""
    dsn = pair.primary if store is PRISMA else pair.secondary
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT t::text FROM {TABLE} AS t ORDER BY id::text".encode()).fetchall()


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
    """Not by the relay, which carries nothing over, and not when the stores are adopted: what differs is kept."""
    adopted_as_equal(scene.work)
    made = scene.backup(PRISMA)
    replication = scene.work.replications[0]
    with changed(scene, PRISMA) as (one, other, new):
        carry(replication.both()[2])
    newer = titles(scene.pair, SUPABASE)
    assert (newer[one], other in newer, newer[new]) == ("later", False, "new")
    scene.restore(PRISMA, confirm=made.id)
    found = survey(replication).status
    assert not found.ready
    assert found.primary is not None
    assert (found.primary.gap, found.primary.dirty, found.primary.adopted_at) == (Gap.RESTORED, 0, None)
    carry(replication.both()[2])
    assert titles(scene.pair, SUPABASE) == newer
    assert conflicts_after_adoption(scene, whole=whole, differing=(one, other, new)) == 3
    carry(replication.both()[2])
    assert titles(scene.pair, SUPABASE) == newer
    ours = titles(scene.pair, PRISMA)
    assert (ours[one] == "later", other in ours, new in ours) == (False, True, False)
    assert {conflict.key for conflict in replication.book.conflicts()} == {one, other, new}
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


def _damaged(scene: Scene, made: Manifest) -> dict[str, Any]:
    path = backups_folder(scene.work.settings) / made.id / backups.DUMP[PRISMA]
    path.write_bytes(path.read_bytes()[:-1])
    return {}


def _of_another_environment(scene: Scene, _made: Manifest) -> dict[str, Any]:
    scene.work = replace(scene.work, stores=replace(scene.work.stores, environment="staging"))
    return {}


def _into_another_database(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, "UPDATE twinstore.identity SET id = gen_random_uuid()")
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


def _under_a_trigger(scene: Scene, _made: Manifest) -> dict[str, Any]:
    body = "BEGIN new.title := 'mine'; RETURN new; END"
    run(
        scene.pair,
        PRISMA,
        f"CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS '{body.replace(chr(39), chr(39) * 2)}'",
    )
    run(
        scene.pair,
        PRISMA,
        f"CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION mine()",
    )
    return {}


def _with_rows_that_hold(scene: Scene, _made: Manifest) -> dict[str, Any]:
    run(scene.pair, PRISMA, f"CREATE TABLE held (planning text REFERENCES {TABLE})")
    run(scene.pair, PRISMA, f"INSERT INTO held SELECT id FROM {TABLE} WHERE title = 'new'")
    return {}


def _with_references(scene: Scene, _made: Manifest) -> dict[str, Any]:
    reference = f"text REFERENCES {TABLE} ON DELETE CASCADE"
    run(scene.pair, PRISMA, f"CREATE TABLE note (planning {reference})")
    return {}


@pytest.mark.parametrize(
    ("prepare", "error", "sentence"),
    [
        (_damaged, Refused, "is damaged: The file prisma.dump is shorter"),
        pytest.param(_of_another_environment, Refused, "is of default, and these stores are staging", marks=LONG),
        (_into_another_database, Refused, "is not known to be the database"),
        (_confirmed_otherwise, ConfigurationError, "and yes was confirmed"),
        pytest.param(_of_another_dataset, ConfigurationError, "does not hold readings", marks=LONG),
        pytest.param(_without_a_column, SchemaMismatch, "has no column project_id", marks=LONG),
        pytest.param(_with_another_column, SchemaMismatch, "needs a value in needed", marks=LONG),
        (_under_a_trigger, Conflict, "would not hold the rows of the backup"),
        (_with_references, Conflict, "and with them rows of public.note"),
        (_with_rows_that_hold, Conflict, "of public.held refers to rows that would not be there"),
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


@pytest.mark.parametrize("foreseen", [pytest.param(True, marks=LONG), False])
def test_a_restore_that_fails_says_what_it_leaves(scene: Scene, *, foreseen: bool) -> None:
    """What can be foreseen halts nothing; what cannot leaves the stores halted, and says so."""
    adopted_as_equal(scene.work)
    made = scene.backup(PRISMA)
    with changed(scene, PRISMA):
        (_with_references if foreseen else _under_a_trigger)(scene, made)
        with pytest.raises(Conflict) as failed:
            scene.restore(PRISMA, confirm=made.id)
    primary = survey(scene.work.replications[0]).status.primary
    assert primary is not None
    assert (primary.adopted_at is not None) is foreseen
    assert ("Nothing of planning is carried over until" in failed.value.todo) is not foreseen
    noted = restorations(backups_folder(scene.work.settings))
    assert [one.state for one in noted] == ([] if foreseen else ["failed"])


@LONG
def test_rows_that_exchange_unique_values_are_refused(scene: Scene) -> None:
    """By the name of what does not let them."""
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
        _into_another_database(scene, made)
        _with_references(scene, made)
        with_a_trigger_that_counts(scene)
        run(scene.pair, PRISMA, "INSERT INTO note VALUES (%s)", new)
        done = scene.restore(PRISMA, confirm=made.id, into_another_store=True, allow_cascade=True)
    assert done.overrides == ("--into-another-store", "--allow-cascade")
    assert restorations(backups_folder(scene.work.settings))[0].overrides == done.overrides
    with psycopg.connect(scene.pair.primary) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM changes").fetchone() == (1,)


def test_a_store_over_rest_is_not_restored(scene: Scene) -> None:
    """Rows cannot be replaced there in one transaction; the sentence names the setting that would help."""
    scene.backup(SUPABASE)
    by_sql = scene.work.stores.urls
    scene.work = replace(scene.work, stores=replace(scene.work.stores, urls={PRISMA: by_sql[PRISMA]}))
    with pytest.raises(ConfigurationError, match="over REST") as refused:
        scene.restore(SUPABASE)
    assert "SUPABASE_DB_URL" in refused.value.todo


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
            scene.restore(SUPABASE, confirm=made.id, into_another_store=True)
        assert rows(seeded_pair, SUPABASE) == before


def test_nobody_else_works_on_the_dataset_meanwhile(scene: Scene) -> None:
    """A restore waits for no check, and says who holds the lease."""
    made = scene.backup(PRISMA)
    assert scene.work.memory is not None
    with (
        scene.work.memory.lease("planning", "check", owner="somebody", now=lambda: datetime.now(UTC)),
        pytest.raises(Held, match="check by somebody"),
    ):
        scene.restore(PRISMA, confirm=made.id)


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
