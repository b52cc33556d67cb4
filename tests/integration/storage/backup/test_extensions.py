"""A drill makes the extensions without which tables cannot be made, and no others."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.restorable import unproven
from storage.backup.folder import kept
from storage.backup.verify import Servers as ScratchServers
from tests.support import backups
from tests.support.servers import Pair

DOMAIN = "CREATE DOMAIN place AS text CHECK (vector_dims(value::vector) = 2); "
USES = {
    "array": "CREATE TABLE points (at vector(2)[]); INSERT INTO points VALUES (ARRAY['[1,2]'::vector])",
    "domain": "CREATE DOMAIN plane AS vector(2); CREATE TABLE points (at plane[]); INSERT INTO points VALUES ('{}')",
    "composite": "CREATE TYPE pair AS (at vector); CREATE TABLE points (p pair); INSERT INTO points VALUES ('([1])')",
    "check": "CREATE TABLE points (at text CHECK (vector_dims(at::vector) = 2)); INSERT INTO points VALUES ('[1,2]')",
    "check_of_a_domain": DOMAIN + "CREATE TABLE points (at place); INSERT INTO points VALUES ('[1,2]')",
    "default": "CREATE FUNCTION n(vector) RETURNS int RETURN 1; CREATE TABLE t (a int DEFAULT n('[1]'))",
}
IDLE = "CREATE FUNCTION n(vector) RETURNS int RETURN 1; CREATE VIEW v AS SELECT n('[1]')"
LONG = {"domain", "check_of_a_domain", "default"}


def restored(pair: Pair, drills: ScratchServers, root: Path, use: str) -> tuple[bool, tuple[str, ...]]:
    """Use the extension somehow; tell whether a drill makes it, and what it does not try."""
    with psycopg.connect(pair.primary_superuser) as connection:
        connection.execute("CREATE EXTENSION vector SCHEMA public")
    with psycopg.connect(pair.primary) as connection:
        connection.execute(use.encode())
    manifest = backups.make(root, pair, stores=[StoreName.PRISMA])
    found = backups.drill(root, manifest.id, drills)
    assert found.passed
    return manifest.sides[0].outside.extensions == (("vector", "public"),), found.notes


@pytest.mark.parametrize("use", [pytest.param(one, marks=pytest.mark.soak if one in LONG else ()) for one in USES])
def test_what_tables_need_is_made(seeded_pair: Pair, drills: ScratchServers, tmp_path: Path, use: str) -> None:
    """An array, a domain or a composite of its type, a check or a default by it."""
    made, notes = restored(seeded_pair, drills, tmp_path, USES[use])
    assert made
    assert not [note for note in notes if note.startswith("Not tried")]


def test_what_holds_no_rows_needs_none(seeded_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """A server that lacks the extension can try the backup all the same: a function and a view are named."""
    made, notes = restored(seeded_pair, drills, tmp_path, IDLE)
    assert not made
    assert "FUNCTION n(" in " ".join(notes)


OF_ITS_SCHEMA = """
CREATE EXTENSION vector SCHEMA public;
CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA audit TO public;
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
ALTER EXTENSION vector ADD FUNCTION audit.note();
ALTER EXTENSION vector ADD SCHEMA audit;
CREATE TRIGGER noted AFTER UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION audit.note()
"""


def test_a_function_of_an_extension_with_a_schema_of_its_own_is_stood_in_for(seeded_pair: Pair, tmp_path: Path) -> None:
    """A trigger by it needs no more than the function: that its schema comes with the extension changes nothing."""
    with psycopg.connect(seeded_pair.primary_superuser) as connection:
        connection.execute(OF_ITS_SCHEMA)
    (side,) = backups.make(tmp_path, seeded_pair, stores=[StoreName.PRISMA]).sides
    assert side.outside.extensions == ()


def test_a_side_that_nobody_can_try_does_not_hide_that_the_other_is_good(
    seeded_pair: Pair, drills: ScratchServers, tmp_path: Path
) -> None:
    """The backup does not count as verified, and the side that was restored can be restored again."""
    with psycopg.connect(seeded_pair.secondary_superuser) as connection:
        connection.execute("CREATE EXTENSION vector SCHEMA public; CREATE TABLE places (at vector(2))")
        connection.execute("SET allow_system_table_mods = on")
        connection.execute("UPDATE pg_extension SET extname = 'places' WHERE extname = 'vector'")
    name = backups.make(tmp_path, seeded_pair).id
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="needs the extension places"):
            backups.drill(tmp_path, name, drills)
        backup = kept(tmp_path, name)
        assert [backup.proves(store) for store in StoreName] == [True, False]
        assert backup.verified_at is None
    assert unproven(backup, StoreName.PRISMA) == ""
    assert unproven(backup, StoreName.SUPABASE).endswith("was never proven to restore.")
