"""Two stores of which one is brought back to a backup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from contracts.backups import Manifest, Restoration
from contracts.vocabulary import StoreName
from flows.backup import backups_folder, create_backup
from flows.opening import Opened
from flows.restorable import Wanted
from flows.restoring import Work, restore_backup
from tests.support import backups
from tests.support.servers import Pair, Servers
from tests.support.two_stores import TABLE, keys, run, titled, titles

PRISMA, SUPABASE = StoreName


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
        self,
        store: StoreName,
        *,
        confirm: str | None = None,
        progress: Callable[[str], None] | None = None,
        **wanted: Any,
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


def rows(pair: Pair, store: StoreName) -> list[tuple[object, ...]]:
    """Return all rows with all columns, as texts."""
    dsn = pair.primary if store is PRISMA else pair.secondary
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT t::text FROM {TABLE} AS t ORDER BY id::text".encode()).fetchall()


def with_references(scene: Scene, _made: Manifest) -> dict[str, Any]:
    """Let rows of another table go where a row goes that they refer to."""
    reference = f"text REFERENCES {TABLE} ON DELETE CASCADE"
    run(scene.pair, PRISMA, f"CREATE TABLE note (planning {reference})")
    return {}


def with_rows_that_hold(scene: Scene, _made: Manifest) -> dict[str, Any]:
    """Let a row of another table refer to one that the backup does not have, and not let it go."""
    run(scene.pair, PRISMA, f"CREATE TABLE held (planning text REFERENCES {TABLE})")
    run(scene.pair, PRISMA, f"INSERT INTO held SELECT id FROM {TABLE} WHERE title = 'new'")
    return {}


def with_rows_that_hold_late(scene: Scene, made: Manifest) -> dict[str, Any]:
    """Let it be unknown whether that row would still be there."""
    body = "BEGIN DELETE FROM held WHERE false; RETURN old; END"
    run(scene.pair, PRISMA, f"CREATE FUNCTION swept() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    run(scene.pair, PRISMA, f"CREATE TRIGGER swept BEFORE DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION swept()")
    return with_rows_that_hold(scene, made)


def under_a_trigger(scene: Scene, _made: Manifest) -> dict[str, Any]:
    """Let a trigger give every row that is written another title."""
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


def under_a_trigger_that_waits(scene: Scene, _made: Manifest) -> dict[str, Any]:
    """Let a trigger give every row another title when the transaction ends."""
    body = f"BEGIN UPDATE {TABLE} SET title = ''mine'' WHERE id = new.id AND title <> ''mine''; RETURN NULL; END"
    run(scene.pair, PRISMA, f"CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    run(
        scene.pair,
        PRISMA,
        f"CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON {TABLE} DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION late()",
    )
    return {}


def under_a_trigger_that_tries(scene: Scene) -> None:
    """Let a trigger write every row that is changed once more, to the same, in a part of the transaction."""
    tried = f"BEGIN UPDATE {TABLE} SET title = title WHERE id = new.id; EXCEPTION WHEN unique_violation THEN NULL; END"
    body = f"BEGIN IF pg_trigger_depth() = 1 THEN {tried}; END IF; RETURN NULL; END"
    run(scene.pair, PRISMA, f"CREATE FUNCTION tries() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    run(scene.pair, PRISMA, f"CREATE TRIGGER tries AFTER UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION tries()")


def into_another_database(scene: Scene, _made: Manifest) -> dict[str, Any]:
    """Let the database be another one than that of the backup."""
    run(scene.pair, PRISMA, "UPDATE twinstore.identity SET id = gen_random_uuid()")
    return {}
