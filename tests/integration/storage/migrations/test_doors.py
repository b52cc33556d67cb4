"""Doors: who may pass them, when they are made anew, and that nothing of them stays after an uninstallation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from contracts.dataset import Column, ColumnType, Dataset
from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.migrations import Side, migrate, state, uninstall
from storage.migrations.doors import DOORS, doors, function_name
from storage.ports import HashKind
from storage.session import PINNED
from tests.integration.storage.migrations.conftest import newer_at_least
from tests.support.servers import Pair
from tests.support.stores_of_old import Secondary

NAME = "doors_planning"
EVERYBODY = ("public", "anon", "authenticated", "service_role")
ALLOWED = """
SELECT p.proname, p.prosecdef, p.provolatile::text, p.proconfig, p.prorettype::regtype::text,
       coalesce((SELECT array_agg(CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END)
                 FROM aclexplode(p.proacl) WHERE privilege_type = 'EXECUTE' AND grantee <> p.proowner), '{}')
FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^twinstore_'
  AND obj_description(p.oid, 'pg_proc') IS DISTINCT FROM 'Owned by twinstore: replicates planning'
"""


@contextmanager
def acting_as(dsn: str, role: str) -> Iterator[psycopg.Connection]:
    """Connect to a database as another role."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}")
        yield connection


@newer_at_least
def test_only_the_service_role_may_pass(secondary: Secondary) -> None:
    """Each door runs with its caller's rights, reads only, pins its settings, gives one value, and has one visitor."""
    migrate(secondary.dsn, Side.SECONDARY)
    with psycopg.connect(secondary.dsn) as connection:
        found = connection.execute(ALLOWED).fetchall()
    assert {name for name, *_ in found} == {function_name(PLANNING, door.name) for door in DOORS}
    for _, definer, volatility, settings, result, visitors in found:
        assert (definer, volatility, result, visitors) == (False, "s", "jsonb", ["service_role"])
        pinned = dict(setting.split("=", 1) for setting in settings)
        assert {name.lower() for name in PINNED} < {name.lower() for name in pinned}
        assert pinned["row_security"] == "off"
        assert "public" not in pinned["search_path"]
    for role in ("anon", "authenticated"):
        with acting_as(secondary.dsn, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT public.twinstore_planning_facts()")
    with acting_as(secondary.dsn, "service_role") as connection:
        assert connection.execute("SELECT public.twinstore_planning_sums('record', 0, 255)").fetchone() == (
            {"counts": [], "digests": []},
        )


def test_both_kinds_of_hash_are_known_and_no_other(secondary: Secondary) -> None:
    """Doors hash as they are told; a kind that they do not know is an error, never another hash."""
    migrate(secondary.dsn, Side.SECONDARY)
    with acting_as(secondary.dsn, "service_role") as connection:
        probes = {
            kind: connection.execute("SELECT public.twinstore_planning_probe(%s)", [kind]).fetchone()
            for kind in HashKind
        }
        assert len({str(probe) for probe in probes.values()}) == len(HashKind)
        with pytest.raises(psycopg.errors.CaseNotFound):
            connection.execute("SELECT public.twinstore_planning_probe('md4')")


@newer_at_least
def test_doors_are_made_anew_when_they_change(secondary: Secondary) -> None:
    """Doors of an older version are pending, and migrating replaces them, also where they took other arguments."""
    migrate(secondary.dsn, Side.SECONDARY)
    with psycopg.connect(secondary.dsn) as connection:
        connection.execute("UPDATE twinstore.migration_log SET checksum = repeat('ab', 32) WHERE name = %s", [NAME])
        connection.execute("DROP FUNCTION public.twinstore_planning_created(bigint, bigint)")
        connection.execute(
            "CREATE FUNCTION public.twinstore_planning_created(text) RETURNS jsonb RETURN NULL::jsonb;"
            "COMMENT ON FUNCTION public.twinstore_planning_created"
            " IS 'Owned by twinstore: reads planning over REST'"
        )
    before = state(secondary.dsn, Side.SECONDARY)
    assert ([m.name for m in before.pending], before.changed) == ([NAME], ())
    assert migrate(secondary.dsn, Side.SECONDARY, dry_run=True).migrations == (NAME,)
    assert migrate(secondary.dsn, Side.SECONDARY).migrations == (NAME,)
    after = state(secondary.dsn, Side.SECONDARY)
    assert after.current
    assert {a.name: a.checksum for a in after.applied}[NAME] == doors(PLANNING).checksum
    with psycopg.connect(secondary.dsn) as connection:
        assert len(connection.execute(ALLOWED).fetchall()) == len(DOORS)
        facts = connection.execute("SELECT public.twinstore_planning_facts()").fetchone()
    assert facts is not None
    assert facts[0]["doors"] == doors(PLANNING).checksum


@newer_at_least
def test_doors_of_a_dataset_that_is_gone_are_no_trouble(secondary: Secondary) -> None:
    """What stays of a dataset that this version does not know does not stop a migration."""
    migrate(secondary.dsn, Side.SECONDARY)
    gone = replace(PLANNING, name="gone")
    with psycopg.connect(secondary.dsn) as connection:
        connection.execute(doors(gone).sql.encode())
        connection.execute(
            "INSERT INTO twinstore.migration_log VALUES ('doors_gone', %s, now(), 1, '0', 'applied')",
            [doors(gone).checksum],
        )
    assert state(secondary.dsn, Side.SECONDARY).current
    assert migrate(secondary.dsn, Side.SECONDARY).migrations == ()


@newer_at_least
def test_uninstalling_takes_all_doors(secondary: Secondary) -> None:
    """Every door is listed and removed, those of datasets that are gone included; a function of the user's stays."""
    migrate(secondary.dsn, Side.SECONDARY)
    with psycopg.connect(secondary.dsn) as connection:
        connection.execute(doors(replace(PLANNING, name="gone")).sql.encode())
        connection.execute("CREATE FUNCTION public.twinstore_mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    listed = uninstall(secondary.dsn, Side.SECONDARY, dry_run=True).objects
    assert uninstall(secondary.dsn, Side.SECONDARY).objects == listed
    for dataset in ("planning", "gone"):
        assert {f"function public.twinstore_{dataset}_{door.name}" for door in DOORS} <= set(listed)
    with psycopg.connect(secondary.dsn) as connection:
        assert [name for name, *_ in connection.execute(ALLOWED).fetchall()] == ["twinstore_mine"]


@newer_at_least
def test_the_rest_service_is_told(secondary: Secondary) -> None:
    """Doors are known to the REST service at once: its schema cache is reloaded after they were made and removed."""
    with psycopg.connect(secondary.dsn, autocommit=True) as listener:
        listener.execute("LISTEN pgrst")
        migrate(secondary.dsn, Side.SECONDARY)
        told = [note.payload for note in listener.notifies(timeout=60, stop_after=1)]
        assert set(told) == {"reload schema"}
        list(listener.notifies(timeout=0.5))  # each of its transactions may tell it again
        uninstall(secondary.dsn, Side.SECONDARY)
        assert {note.payload for note in listener.notifies(timeout=60, stop_after=1)} == {"reload schema"}


WORDS = ("low", "kind", "b", "k", "h1", "r", "found", "Sel\"ect'", "%s {} $1 \\", "ranges")


def odd_dataset() -> Dataset:
    """Return a dataset whose columns are called as what the doors use themselves."""
    text = {store: frozenset({"text"}) for store in StoreName}
    columns = tuple(Column(name=name, type=ColumnType.TEXT, sql_types=text) for name in WORDS)
    tables = {StoreName.PRISMA: ("public", "odd"), StoreName.SUPABASE: ("public", 'od"d')}
    return Dataset(name="odd", key=WORDS[:2], columns=columns, tables=tables)


def test_no_name_of_a_column_is_taken_for_one_of_ours(pair: Pair) -> None:
    """Columns that are called as parameters, variables or parts of queries are read as columns."""
    names = [sql.Identifier(name) for name in WORDS]
    table = sql.Identifier("public", 'od"d')
    with psycopg.connect(pair.secondary) as connection:
        typed = sql.SQL(", ").join(sql.SQL("{} text NOT NULL").format(name) for name in names)
        key = sql.SQL(", ").join(names[:2])
        connection.execute(sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(table, typed, key))
        values = [f"{name} value |\\" for name in WORDS]
        places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
        connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(table, places), values)
        connection.execute(doors(odd_dataset()).sql.encode())
        keys = Jsonb([values[:2]])
        found = connection.execute("SELECT public.twinstore_odd_rows('text', %s)", [keys]).fetchone()
        sums = connection.execute("SELECT public.twinstore_odd_sums('text', 0, 255)").fetchone()
        pairs = connection.execute(
            "SELECT public.twinstore_odd_pairs('text', 0, 255, ARRAY(SELECT generate_series(0, 255)))"
        ).fetchone()
    assert found is not None
    assert sums is not None
    assert pairs is not None
    ((key_text, hash1, hash2, texts),) = found[0]["list"]
    assert key_text == "low value \\|\\\\|kind value \\|\\\\"
    assert texts == values
    assert pairs[0]["pairs"] == [[key_text, hash1, hash2]]
    assert sums[0]["digests"] == [[sums[0]["counts"][0][0], 1, hash1, hash2]]


@pytest.mark.parametrize("name", ["Planning", "a b", "a'b", "a" * 41, "", "1a", "a;b"])
def test_functions_are_named_after_plain_names_only(name: str) -> None:
    """A dataset whose name would need quotes, or would be cut, gets no doors."""
    with pytest.raises(ConfigurationError, match="named after the dataset"):
        doors(replace(PLANNING, name=name))


def test_the_longest_name_is_not_cut() -> None:
    """With the longest name of a dataset every door has a name of its own within the 63 bytes of PostgreSQL."""
    longest = replace(PLANNING, name="a" * 40)
    assert all(len(function_name(longest, door.name)) <= 63 for door in DOORS)


def test_a_name_cannot_end_the_body_of_a_function() -> None:
    """A column whose name holds the mark that ends a function's body is refused."""
    first, *others = PLANNING.columns
    spoilt = replace(others[0], name="a$door$; DROP TABLE x; --")
    with pytest.raises(ConfigurationError, match="holds"):
        doors(replace(PLANNING, columns=(first, spoilt, *others[1:]), created=None, updated=None))
