"""The primary's server is brought back to a moment by PostgreSQL's own archive recovery, which forgets a few writes."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from contracts.errors import SchemaMismatch
from contracts.replication import Applied, Gap
from storage.local import stores as local
from storage.local.server import Server
from storage.migrations import migrate
from storage.migrations.values import Side
from tests.support.prefect_api import until
from tests.support.replication import World, keys, world
from tests.support.servers import Pair, Servers, watched_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
DATABASE = "restored"
COPY = ("cp", "-a", "--no-target-directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A primary whose log is archived, beside a secondary of all tests."""

    server: Server
    secondary: Pair
    folder: Path

    @property
    def pair(self) -> Pair:
        """Both databases, as they are reached now."""
        return replace(
            self.secondary,
            primary=self.server.dsn(DATABASE, local.APP),
            primary_superuser=self.server.dsn(DATABASE),
        )

    def as_superuser(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        with psycopg.connect(self.server.dsn(DATABASE), autocommit=True) as connection:
            connection.execute(statement.encode())

    def backed_up(self) -> None:
        """Copy the server's files."""
        self.server.stop()
        subprocess.run([*COPY, str(self.server.data), str(self.folder / "base")], check=True)
        self.server.start()

    def restored(self) -> None:
        """Bring it back to the point that was named, from the copy and the archived log."""
        self.as_superuser("SELECT pg_switch_wal()")
        self.server.stop()
        subprocess.run(["rm", "-r", str(self.server.data)], check=True)
        subprocess.run([*COPY, str(self.folder / "base"), str(self.server.data)], check=True)
        (self.server.data / "recovery.signal").touch()
        owner = self.server.data.stat()
        os.chown(self.server.data / "recovery.signal", owner.st_uid, owner.st_gid)
        self.server.start()
        until(lambda: self._takes_writes() or None, "the end of the recovery")

    def _takes_writes(self) -> bool:
        """Tell whether its recovery has ended: readers are let in some moments before."""
        with psycopg.connect(self.server.dsn(DATABASE), autocommit=True) as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)


@contextmanager
def archived(servers: Servers, template: str) -> Iterator[Archived]:
    """Start such a primary."""
    with ExitStack() as stack:
        folder = stack.enter_context(watched_folder())
        log = folder / "log"
        log.mkdir()
        log.chmod(0o777)
        server = Server(
            version=local.PRIMARY_VERSION,
            folder=folder / "server",
            superuser=local.PRIMARY_SUPERUSER,
            settings={
                "wal_level": "replica",
                "archive_mode": "on",
                "archive_command": f"cp %p {log}/%f",
                "restore_command": f"cp {log}/%f %p",
                "recovery_target_name": "before",
                "recovery_target_action": "promote",
            },
        )
        server.initialise()
        server.start()
        stack.callback(server.stop, wait_s=0)
        local.prepare_primary(server, dbname=DATABASE)
        local.create_prisma_table(server.dsn(DATABASE, local.APP))
        migrate(server.dsn(DATABASE, local.APP), PRIMARY)
        yield Archived(server=server, secondary=stack.enter_context(servers.clones(template)), folder=folder)


def write_a_little(made: World, one: str, two: str, three: str) -> None:
    """Write less than PostgreSQL logs of a sequence at a time, and have it carried over."""
    made.titled(PRIMARY, one, "acknowledged")
    made.titled(SECONDARY, two, "acknowledged")
    made.delete(PRIMARY, three)
    made.relay.drain()


def go_on(made: World, *some: str) -> None:
    """Write on the restored primary, before anybody has looked."""
    for key in some:
        made.run(PRIMARY, "UPDATE public.planning SET status = 'active' WHERE id = %s", key)


@pytest.fixture
def made(servers: Servers, _migrated_template: str) -> Iterator[Archived]:
    """Such a primary."""
    with archived(servers, _migrated_template) as found:
        yield found


@pytest.mark.soak
@pytest.mark.parametrize("written", [True, False], ids=["written to", "left alone"])
def test_a_primary_that_was_brought_back_by_an_hour_is_found(made: Archived, *, written: bool) -> None:
    """Nothing that the secondary knows is replaced, though the sequence is ahead of all that was forgotten."""
    some = keys(3)
    with world(made.pair) as stores:
        stores.insert(PRIMARY, *some)
        stores.relay.drain()
    made.backed_up()
    with world(made.pair, adopted=False) as stores:
        made.as_superuser("SELECT pg_create_restore_point('before')")
        write_a_little(stores, *some)
    made.restored()
    with world(made.pair, adopted=False) as stores:
        assert [stores.title(PRIMARY, key) for key in some] == ["T"] * 3
        if written:
            go_on(stores, *some)
        with pytest.raises(SchemaMismatch, match="older"):
            stores.relay.drain()
        assert [stores.title(SECONDARY, key) for key in some] == ["acknowledged", "acknowledged", None]
        assert stores.primary.standing().gap is Gap.RESTORED
        stores.adopt()
        assert stores.relay.prove().ready


@pytest.mark.parametrize(
    "at_once",
    [pytest.param(True, id="by the repository"), pytest.param(False, id="by the relay", marks=pytest.mark.soak)],
)
def test_a_server_that_takes_over_is_held_against_the_secondary_before_it_delivers(
    made: Archived, *, at_once: bool
) -> None:
    """Also between two looks, when the very record that it forgot was written again: the last look was at another."""
    (key,) = keys(1)
    with world(made.pair) as stores:
        stores.insert(PRIMARY, key)
        stores.relay.drain()
    made.backed_up()
    with world(made.pair, adopted=False) as stores:
        stores.titled(PRIMARY, key, "before")  # then PostgreSQL has logged numbers beyond this one
        made.as_superuser("SELECT pg_create_restore_point('before')")
        stores.relay.drain()
        stores.titled(PRIMARY, key, "acknowledged")
        assert stores.relay.deliver(key, deadline_s=5) == Applied.APPLIED
        made.restored()
        made.as_superuser(f"UPDATE public.planning SET title = 'written again' WHERE id = '{key}'")
        with pytest.raises(SchemaMismatch, match="older"):
            stores.relay.deliver(key, deadline_s=5) if at_once else list(stores.relay.passing())
        assert stores.title(SECONDARY, key) == "acknowledged"
        assert stores.primary.standing().gap is Gap.RESTORED
