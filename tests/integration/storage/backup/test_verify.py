"""A drill finds whatever is wrong with a backup, says what it is, and refuses none that is good."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from random import Random

import psycopg
import pytest

from contracts.backups import Damage
from contracts.errors import ConfigurationError, Unavailable
from contracts.vocabulary import StoreName
from storage.backup.drill import gave_up
from storage.backup.folder import kept, list_backups
from storage.backup.manifest import MANIFEST, VERIFIED
from storage.backup.scratch import scratch_server
from storage.backup.verify import Servers as ScratchServers
from storage.local.server import Server
from tests.integration.storage.backup.conftest import Made
from tests.support import backups
from tests.support.second_dataset import fill, make_tables, second_dataset
from tests.support.servers import SEEDED, Pair, Servers

PRISMA, SUPABASE = StoreName
FILES = (backups.DUMP[PRISMA], MANIFEST)


def damages(made: Made) -> set[Damage]:
    """Return what a drill finds."""
    return {flaw.damage for flaw in made.verify().flaws}


def test_a_good_backup_is_verified(still_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """Both sides are restored and are as they were; the finding stays beside the backup, for this manifest only."""
    made = Made(tmp_path, backups.make(tmp_path, still_pair), drills)
    assert kept(made.root, made.manifest.id).verified_at is None
    found = made.verify()
    assert found.flaws == ()
    assert found.servers == ("16", "18")
    assert [side.rows for side in made.manifest.sides] == [SEEDED, SEEDED]
    assert kept(made.root, made.manifest.id).verified_at == found.at
    backups.sealed_anew(made.folder, lambda side: replace(side, identity=None))
    assert kept(made.root, made.manifest.id).verified_at is None


@pytest.mark.parametrize("seed", range(20))
def test_a_truncated_file_is_found(made: Made, seed: int) -> None:
    """Wherever it is cut off; of a dump it is said that it is shorter."""
    name = FILES[seed % 5 == 0]
    backups.cut(made.folder / name, Random(seed))
    assert damages(made) == {Damage.MANIFEST if name == MANIFEST else Damage.SIZE}


@pytest.mark.parametrize("seed", range(50))
def test_a_flipped_bit_is_found(made: Made, seed: int) -> None:
    """Wherever it is; of a dump it is said that its bytes are others."""
    name = FILES[seed % 5 == 0]
    backups.flip(made.folder / name, Random(seed))
    assert damages(made) == {Damage.MANIFEST if name == MANIFEST else Damage.CONTENT}


@pytest.mark.parametrize("share", [0.3, pytest.param(0.9, marks=pytest.mark.soak)])
def test_a_dump_whose_pg_dump_was_killed_is_found(made: Made, share: float) -> None:
    """Also when the manifest was sealed over what there was: pg_restore does not come to its end."""
    path = made.folder / backups.DUMP[PRISMA]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    backups.sealed_anew(made.folder)
    assert damages(made) == {Damage.RESTORE}


def test_a_missing_table_is_found(made: Made, still_pair: Pair) -> None:
    """By its name, where the dump restores without it."""
    backups.dump_anew(made.folder, PRISMA, still_pair.primary, "--exclude-table=public.planning")
    assert made.verify().flaws[0].text == "The table public.planning is missing."


def test_another_server_version_is_found(made: Made, still_pair: Pair) -> None:
    """A dump of another version than the manifest names does not pass for this one."""
    backups.dump_anew(made.folder, PRISMA, still_pair.secondary, major=18)
    (flaw,) = made.verify().flaws
    assert flaw.damage is Damage.VERSION
    assert "18." in flaw.text
    assert "16." in flaw.text


def test_a_changed_manifest_is_found(made: Made) -> None:
    """A number that somebody corrected by hand breaks its seal."""
    path = made.folder / MANIFEST
    document = json.loads(path.read_text())
    document["body"]["sides"][0]["datasets"][0]["rows"] += 1
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    assert damages(made) == {Damage.MANIFEST}
    assert list_backups(made.root)[0].trouble


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(made: Made, name: str) -> None:
    """It is named; a folder without a manifest is no backup."""
    (made.folder / name).unlink()
    (flaw,) = made.verify().flaws
    assert flaw.damage is Damage.MISSING_FILE
    assert name in flaw.text
    assert bool(list_backups(made.root)) == (name != MANIFEST)


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        ("UPDATE planning SET title = title || '.' WHERE id = (SELECT min(id) FROM planning)", Damage.DIGEST),
        pytest.param(
            "DELETE FROM planning WHERE id = (SELECT min(id) FROM planning)", Damage.ROWS, marks=pytest.mark.soak
        ),
        pytest.param("DROP INDEX planning_updated_at_idx", Damage.SHAPE, marks=pytest.mark.soak),
    ],
)
def test_a_dump_of_other_rows_is_found(made: Made, seeded_pair: Pair, statement: str, damage: Damage) -> None:
    """A dump that restores, and does not hold what the manifest says, is none."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(statement.encode())
    backups.dump_anew(made.folder, PRISMA, seeded_pair.primary)
    assert damage in damages(made)


def test_a_flaw_takes_an_earlier_verification_back(made: Made) -> None:
    """What was verified and is damaged since is not verified any more."""
    assert made.verify().passed
    backups.flip(made.folder / FILES[0], Random(1))
    assert not made.verify().passed
    assert kept(made.root, made.manifest.id).verified_at is None


def test_what_was_verified_is_tried_twice(made: Made, servers: Servers) -> None:
    """The files are as they were when they were restored: something else may have gone wrong."""
    path = made.folder / FILES[0]
    good, tries = path.read_bytes(), []

    @contextmanager
    def failing_first(version: int) -> Iterator[Server]:
        tries.append(version)
        path.write_bytes(good if len(tries) == 2 else good[: len(good) // 3])  # after it was compared with its SHA-256
        with made.servers(version) as server:
            yield server

    backups.proven(made.root, made.manifest.id)
    assert backups.drill(made.root, made.manifest.id, failing_first).flaws == ()
    assert len(tries) == 2
    (made.folder / VERIFIED).unlink()
    assert not backups.drill(made.root, made.manifest.id, failing_first).passed
    assert len(tries) == 3


def test_a_program_that_was_killed_says_nothing(made: Made, servers: Servers, tmp_path: Path) -> None:
    """As where memory runs out: nothing is noted, and a verification stays."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for path in servers.primary.programs().iterdir():
        (programs / path.name).symlink_to(path)
    killed = programs / "pg_restore"
    killed.unlink()
    version = 'case "$1" in --version) echo "pg_restore (PostgreSQL) 16.0"; exit;; esac'
    killed.write_text(f"#!/bin/sh\n{version}\nkill -9 $$\n")
    killed.chmod(0o755)

    @contextmanager
    def run(_version: int) -> Iterator[Server]:
        values = {each.name: getattr(servers.primary, each.name) for each in fields(Server)}
        yield WithPrograms(**values, where=programs)

    backups.proven(made.root, made.manifest.id)
    before = kept(made.root, made.manifest.id).verification
    with pytest.raises(Unavailable, match="says nothing about the backup"):
        backups.drill(made.root, made.manifest.id, run)
    assert kept(made.root, made.manifest.id).verification == before


@dataclass(frozen=True, slots=True, kw_only=True)
class WithPrograms(Server):
    """A server whose programs lie elsewhere."""

    where: Path

    def programs(self) -> Path:
        """Return their folder."""
        return self.where


@pytest.mark.soak
def test_errors_of_the_work_are_not_those_of_the_scratch_server(home: Path) -> None:
    """Only what keeps it from being made or started is said of it."""
    with pytest.raises(OSError, match="of the work"), scratch_server(home, 16):
        raise OSError(errno.ENOSPC, "of the work")


def test_nothing_is_left_of_a_drill(made: Made, servers: Servers) -> None:
    """Neither of one that passes nor of one that fails."""
    made.verify()
    backups.cut(made.folder / FILES[0], Random(2))
    backups.sealed_anew(made.folder)
    made.verify()
    for server in (servers.primary, servers.secondary):
        with psycopg.connect(server.dsn()) as connection:
            left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'").fetchone()
        assert left == (0,)


ODD = """
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.users (id integer PRIMARY KEY);
INSERT INTO elsewhere.users VALUES (1);
CREATE FUNCTION elsewhere.who() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION elsewhere.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN short AS text CHECK (length(value) < 10);
CREATE TABLE odd (
  id serial PRIMARY KEY, other bigint GENERATED BY DEFAULT AS IDENTITY, owner integer DEFAULT elsewhere.who()
    REFERENCES elsewhere.users, feeling mood, name short, doubled integer GENERATED ALWAYS AS (id * 2) STORED,
  "Quoted ""name" text COLLATE "C", amounts numeric[], made timestamptz DEFAULT now(), CHECK (other > 0));
CREATE INDEX odd_lower ON odd (lower(name)) WHERE owner IS NOT NULL;
CREATE TRIGGER touch BEFORE UPDATE ON odd FOR EACH ROW EXECUTE FUNCTION elsewhere.touch();
ALTER TABLE odd ENABLE ROW LEVEL SECURITY;
CREATE POLICY theirs ON odd USING (owner = elsewhere.who());
CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_of_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW seen AS SELECT id FROM odd;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM odd;
CREATE TABLE embedded (id integer PRIMARY KEY, at vector(2) DEFAULT '[1,2]', length float DEFAULT vector_norm('[3,4]'));
CREATE INDEX embedded_at ON embedded USING hnsw (at vector_l2_ops);
INSERT INTO embedded VALUES (1);
CREATE TABLE "Mixed Case" (k text PRIMARY KEY, v jsonb);
INSERT INTO odd (feeling, name, "Quoted ""name", amounts) VALUES ('ok', E'a\\tb\\\\', '"', '{1.50,NaN,NULL}');
INSERT INTO parts VALUES (1, '2026-05-05');
INSERT INTO "Mixed Case" VALUES ('', '{"a": 1e400}');
CREATE TABLE behind (id serial PRIMARY KEY);
CREATE TABLE renumbered (id serial PRIMARY KEY);
ALTER TABLE renumbered ALTER id DROP DEFAULT, ALTER id TYPE text;
INSERT INTO renumbered VALUES ('b');
INSERT INTO behind VALUES (7);
CREATE TABLE named (t text, other text);
CREATE TABLE named_so (t text, other text);
INSERT INTO named VALUES ('x', 'a');
INSERT INTO named_so VALUES ('x', 'b');
"""


def test_an_unusual_schema_is_restored(seeded_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """What lies in other schemas is stood in for; a sequence that was behind before is no damage.

    Digests are of whole rows, whatever their columns are called.
    """
    with psycopg.connect(seeded_pair.primary_superuser) as connection:
        connection.execute("CREATE EXTENSION vector SCHEMA public")
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(ODD.encode())
    with psycopg.connect(seeded_pair.primary_superuser) as connection:  # as CREATE INDEX CONCURRENTLY leaves one
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'odd_lower'::regclass")
    manifest = backups.make(tmp_path, seeded_pair, stores=[PRISMA])
    side = manifest.sides[0]
    tables = {table.name: table for table in side.tables}
    assert tables["public.odd"].rows == 1
    assert tables["public.named"].digest != tables["public.named_so"].digest
    assert side.outside.extensions == (("vector", "public"),)
    assert side.shape.behind == ("public.behind_id_seq of public.behind.id",)
    found = backups.drill(tmp_path, manifest.id, drills)
    assert found.flaws == ()
    assert any("other schemas" in note for note in found.notes)


USERS = "CREATE TABLE elsewhere.users (id integer); CREATE FUNCTION elsewhere.who() RETURNS int RETURN 1; "
WHO = "CREATE TABLE owned (owner integer DEFAULT elsewhere.who()); "
LOW = "CREATE FUNCTION elsewhere.low(text) RETURNS text IMMUTABLE RETURN lower($1); "
LONG = pytest.mark.soak


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            'CREATE COLLATION elsewhere.german FROM "C";'
            "CREATE TABLE worded (word text COLLATE elsewhere.german PRIMARY KEY)",
            id="collation",
        ),
        pytest.param(USERS + WHO + "CREATE VIEW users AS SELECT id FROM elsewhere.users", id="view"),
        pytest.param(
            USERS + WHO + "ALTER TABLE owned ENABLE ROW LEVEL SECURITY; "
            "CREATE POLICY theirs ON owned USING (EXISTS (SELECT FROM elsewhere.users))",
            id="policy",
            marks=LONG,
        ),
        pytest.param(
            USERS + WHO + "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM elsewhere.users; END",
            id="function",
            marks=LONG,
        ),
        pytest.param(
            LOW + "CREATE TABLE words (a text, b text GENERATED ALWAYS AS (elsewhere.low(a)) STORED);"
            "INSERT INTO words VALUES ('X')",
            id="generated",
            marks=LONG,
        ),
        pytest.param(
            LOW + "CREATE TABLE words (a text); CREATE INDEX ON words (elsewhere.low(a))", id="index", marks=LONG
        ),
        pytest.param(
            "CREATE FUNCTION elsewhere.several() RETURNS SETOF int LANGUAGE sql AS 'SELECT 1';"
            "CREATE VIEW several AS SELECT * FROM elsewhere.several()",
            id="set",
            marks=LONG,
        ),
        pytest.param(
            "CREATE FUNCTION elsewhere.two(a int, OUT b int, OUT c int) LANGUAGE sql AS 'SELECT 1, 2';"
            "CREATE VIEW two AS SELECT (elsewhere.two(1)).b",
            id="out",
            marks=LONG,
        ),
        pytest.param(
            USERS + WHO + "CREATE SEQUENCE elsewhere.numbers;"
            "CREATE TABLE numbered (id int DEFAULT nextval('elsewhere.numbers'))",
            id="sequence",
            marks=LONG,
        ),
        pytest.param(
            LOW + "CREATE FUNCTION elsewhere.eq(text, int) RETURNS bool IMMUTABLE RETURN true;"
            "CREATE OPERATOR elsewhere.=== (leftarg = text, rightarg = int, function = elsewhere.eq);"
            "CREATE VIEW same AS SELECT 'a'::text OPERATOR(elsewhere.===) 1 AS x, elsewhere.low('a')",
            id="operator",
            marks=LONG,
        ),
    ],
)
def test_what_the_scratch_server_lacks_is_no_damage(
    seeded_pair: Pair, drills: ScratchServers, tmp_path: Path, statement: str
) -> None:
    """What lies in another schema and cannot be stood in for: nobody can tell here, and nothing is noted."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(("CREATE SCHEMA elsewhere; " + statement).encode())
    manifest = backups.make(tmp_path, seeded_pair, stores=[PRISMA])
    with pytest.raises(ConfigurationError, match="which the scratch server does not have"):
        backups.drill(tmp_path, manifest.id, drills)
    assert kept(tmp_path, manifest.id).verification is None


def test_any_dataset_is_restored(pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """Keys of several columns, arrays, generated columns, infinities: all come back as they were."""
    make_tables(pair)
    fill(pair)
    with second_dataset(tmp_path / "datasets") as readings:
        manifest = backups.make(tmp_path, pair, [readings])
        assert [content.rows for side in manifest.sides for content in side.datasets] == [400, 400]
        assert backups.drill(tmp_path, manifest.id, drills, [readings]).flaws == ()


@pytest.mark.parametrize(
    ("said", "server"),
    [
        ("pg_restore: error: could not execute query: ERROR:  could not extend file: No space left on device", True),
        ("pg_restore: error: server closed the connection unexpectedly", True),
        ("pg_restore: error: could not read from input file: end of file", False),
    ],
)
def test_a_server_that_gives_up_says_nothing_about_the_backup(said: str, *, server: bool) -> None:
    """A full disk of the drill is not a damage of the dump."""
    assert gave_up(said) is server
