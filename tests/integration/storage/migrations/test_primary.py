"""The primary side: a schema of our own, and nothing in the schema of the Prisma application."""

from __future__ import annotations

import psycopg
import pytest

from contracts.errors import ConfigurationError, SchemaMismatch
from storage.migrations import Side, migrate, migrations, state, uninstall
from tests.support.servers import Pair
from tests.support.stores_of_old import PRISMA_FORMS, run_scripts, schema_dump


@pytest.mark.parametrize("form", PRISMA_FORMS)
def test_prisma_schema_stays_byte_for_byte(primary: str, form: str) -> None:
    """What a Prisma application sees in its own schema is the same after we came, and after we left."""
    run_scripts(primary, PRISMA_FORMS[form])
    before = schema_dump(primary, "public")
    migrate(primary, Side.PRIMARY)
    assert schema_dump(primary, "public") == before
    assert "CREATE SCHEMA twinstore" in schema_dump(primary, "twinstore")
    uninstall(primary, Side.PRIMARY)
    assert schema_dump(primary, "public") == before


def test_one_identity_that_stays(primary: str) -> None:
    """The database has one identity, which a second run keeps and nobody can add to or relabel."""
    migrate(primary, Side.PRIMARY)
    first = state(primary, Side.PRIMARY).identity
    assert first is not None
    assert migrate(primary, Side.PRIMARY).migrations == ()
    assert state(primary, Side.PRIMARY).identity == first
    with psycopg.connect(primary, autocommit=True) as conn:
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("INSERT INTO twinstore.identity DEFAULT VALUES")
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute("UPDATE twinstore.identity SET side = 'secondary'")


def test_record_of_what_was_done(primary: str) -> None:
    """Each migration is recorded with name, checksum, time, duration and version."""
    migrate(primary, Side.PRIMARY)
    done = state(primary, Side.PRIMARY)
    assert done.current
    assert [(a.name, a.checksum) for a in done.applied] == [(m.name, m.checksum) for m in migrations(Side.PRIMARY)]
    assert all(a.execution_ms >= 0 and a.version and a.applied_at.tzinfo for a in done.applied)


def test_secondary_is_refused_as_primary(empty_pair: Pair) -> None:
    """The primary side is not installed where the secondary is, nor where its table stands."""
    run_scripts(empty_pair.secondary, ("common",))
    with pytest.raises(ConfigurationError, match="looks like the secondary"):
        migrate(empty_pair.secondary, Side.PRIMARY)
    migrate(empty_pair.secondary, Side.SECONDARY)
    for call in (migrate, state, uninstall):
        with pytest.raises(ConfigurationError, match="is the secondary store"):
            call(empty_pair.secondary, Side.PRIMARY)


def test_foreign_object_keeps_the_schema(primary: str) -> None:
    """What somebody else built on our schema is not dragged along: nothing is removed."""
    migrate(primary, Side.PRIMARY)
    with psycopg.connect(primary, autocommit=True) as conn:
        conn.execute("CREATE VIEW public.who AS SELECT side FROM twinstore.identity")
    with pytest.raises(SchemaMismatch, match="Nothing was removed"):
        uninstall(primary, Side.PRIMARY)
    assert state(primary, Side.PRIMARY).current
