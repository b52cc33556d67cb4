"""The runner: plans, repeats, refuses, resumes, and takes everything out again."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from contracts.errors import ConfigurationError, Refused, TimedOut, Unavailable
from storage.migrations import MigrationReport, Side, migrate, migrations, render, state, uninstall
from tests.integration.storage.migrations.conftest import newer_at_least
from tests.support.servers import Pair
from tests.support.stores_of_old import FORMS, Secondary, rows, run_psql, run_scripts, schema_dump

NAMES = tuple(m.name for m in migrations(Side.SECONDARY))


def test_empty_server_then_again(secondary: Secondary) -> None:
    """On an empty server everything is applied once, and a second run changes nothing."""
    assert migrate(secondary.dsn, Side.SECONDARY).migrations == NAMES
    first = schema_dump(secondary.dsn, "public", "twinstore")
    before = state(secondary.dsn, Side.SECONDARY)
    again = migrate(secondary.dsn, Side.SECONDARY)
    assert (again.migrations, again.notices) == ((), ())
    assert state(secondary.dsn, Side.SECONDARY) == before
    assert schema_dump(secondary.dsn, "public", "twinstore") == first


@newer_at_least
def test_dry_run_changes_nothing(secondary: Secondary) -> None:
    """A dry run names what it would do, and the whole database is as it was."""
    before = schema_dump(secondary.dsn)
    report = migrate(secondary.dsn, Side.SECONDARY, dry_run=True)
    assert report.dry_run
    assert report.migrations == NAMES
    assert schema_dump(secondary.dsn) == before
    assert [m.name for m in state(secondary.dsn, Side.SECONDARY).pending] == list(NAMES)


@newer_at_least
@pytest.mark.parametrize("form", ["empty", "m1+sync"])
def test_printed_sql_does_the_same(secondary: Secondary, form: str, tmp_path: Path) -> None:
    """What is printed for psql leads to the same schema and record, on an empty server too, and may be run again."""
    script = tmp_path / "secondary side.sql"
    script.write_text(render(Side.SECONDARY), encoding="utf-8")
    run_scripts(secondary.dsn, FORMS.get(form, ()))
    first = run_psql(secondary.dsn, script)
    assert first.returncode == 0, first.stderr
    printed = schema_dump(secondary.dsn, "public", "twinstore")
    assert state(secondary.dsn, Side.SECONDARY).current
    assert migrate(secondary.dsn, Side.SECONDARY).migrations == ()
    assert run_psql(secondary.dsn, script).returncode == 0
    assert schema_dump(secondary.dsn, "public", "twinstore") == printed
    with psycopg.connect(secondary.superuser, autocommit=True) as conn:
        conn.execute("DROP SCHEMA twinstore CASCADE")
        conn.execute("DROP TABLE public.planning")
        conn.execute("DROP TABLE public.planning_audit_log")
        conn.execute("DROP TABLE IF EXISTS public.projects, public.planning_backup_20250918")
        conn.execute(
            "DROP FUNCTION IF EXISTS public.update_updated_at_column, public.validate_planning_data,"
            " public.planning_audit_trigger"
        )
    run_scripts(secondary.dsn, FORMS.get(form, ()))
    migrate(secondary.dsn, Side.SECONDARY)
    assert schema_dump(secondary.dsn, "public", "twinstore") == printed


def test_printed_sql_stops_at_the_first_failure(empty_pair: Pair, tmp_path: Path) -> None:
    """Run against the primary, the printed SQL fails and leaves nothing behind."""
    run_scripts(empty_pair.primary, ("prisma_first",))
    before = schema_dump(empty_pair.primary)
    script = tmp_path / "secondary.sql"
    script.write_text(render(Side.SECONDARY), encoding="utf-8")
    done = run_psql(empty_pair.primary, script)
    assert done.returncode == 3
    assert "looks like the primary store" in done.stderr
    assert schema_dump(empty_pair.primary) == before


def test_primary_is_refused_as_secondary(empty_pair: Pair) -> None:
    """The secondary side is not installed where the primary is, nor where a Prisma table stands."""
    run_scripts(empty_pair.primary, ("prisma_first",))
    with pytest.raises(ConfigurationError, match="looks like the primary"):
        migrate(empty_pair.primary, Side.SECONDARY)
    migrate(empty_pair.primary, Side.PRIMARY)
    with pytest.raises(ConfigurationError, match="is the primary store"):
        migrate(empty_pair.primary, Side.SECONDARY, dry_run=True)


def test_changed_file_is_refused(empty_pair: Pair, tmp_path: Path) -> None:
    """A file that is not the one that was applied stops everything, printed SQL included, and names both checksums."""
    migrate(empty_pair.secondary, Side.SECONDARY)
    with psycopg.connect(empty_pair.secondary) as conn:
        conn.execute(
            "UPDATE twinstore.migration_log SET checksum = repeat('ab', 32) WHERE name = %s",
            [NAMES[1]],
        )
        conn.execute("DELETE FROM twinstore.migration_log WHERE name = %s", [NAMES[-1]])
    expected = (
        f"{NAMES[1]} was applied with checksum abababababab and has {migrations(Side.SECONDARY)[1].checksum[:12]}"
    )
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match=expected) as caught:
            migrate(empty_pair.secondary, Side.SECONDARY, dry_run=dry_run)
        assert "new migration" in caught.value.todo
    script = tmp_path / "secondary.sql"
    script.write_text(render(Side.SECONDARY), encoding="utf-8")
    assert expected in run_psql(empty_pair.secondary, script).stderr
    left = state(empty_pair.secondary, Side.SECONDARY)
    assert [a.name for a in left.changed] == [NAMES[1]]
    assert [m.name for m in left.pending] == [NAMES[-1]]


def test_newer_database_is_refused(empty_pair: Pair) -> None:
    """A database that a newer version has migrated is left alone."""
    migrate(empty_pair.primary, Side.PRIMARY)
    with psycopg.connect(empty_pair.primary) as conn:
        conn.execute(
            "INSERT INTO twinstore.migration_log VALUES ('9999_future', repeat('ab', 32), now(), 1, '99', 'applied')"
        )
    assert state(empty_pair.primary, Side.PRIMARY).unknown == ("9999_future",)
    with pytest.raises(ConfigurationError, match="9999_future"):
        migrate(empty_pair.primary, Side.PRIMARY)


def test_killed_runner_resumes(empty_pair: Pair) -> None:
    """A runner whose connection is cut in the second migration leaves the first; the next run does the rest."""
    run_scripts(empty_pair.secondary, FORMS["c1"])
    with psycopg.connect(empty_pair.secondary) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("LOCK TABLE public.planning IN ACCESS SHARE MODE")
        runner = pool.submit(migrate, empty_pair.secondary, Side.SECONDARY)
        _kill_waiting(empty_pair.secondary_superuser, runner)
        with pytest.raises(Unavailable, match=NAMES[1]):
            runner.result()
    left = state(empty_pair.secondary, Side.SECONDARY)
    assert [a.name for a in left.applied] == [NAMES[0]]
    assert migrate(empty_pair.secondary, Side.SECONDARY).migrations == NAMES[1:]
    assert state(empty_pair.secondary, Side.SECONDARY).identity == left.identity


def test_busy_table_times_out(empty_pair: Pair) -> None:
    """A table that stays locked is not waited for longer than its limit; the try is recorded and nothing of it kept."""
    run_scripts(empty_pair.secondary, FORMS["c1"])
    before = rows(empty_pair.secondary, "planning")
    with psycopg.connect(empty_pair.secondary) as holder:
        holder.execute("LOCK TABLE public.planning IN ACCESS SHARE MODE")
        with pytest.raises(TimedOut, match=f"{NAMES[1]} was not applied"):
            migrate(empty_pair.secondary, Side.SECONDARY)
    left = state(empty_pair.secondary, Side.SECONDARY)
    assert left.failed == (NAMES[1],)
    assert not left.current
    assert rows(empty_pair.secondary, "planning") == before
    assert migrate(empty_pair.secondary, Side.SECONDARY).migrations == NAMES[1:]
    assert state(empty_pair.secondary, Side.SECONDARY).failed == ()


@newer_at_least
def test_two_runners_share_the_work(secondary: Secondary) -> None:
    """Two runners at once both succeed, and each migration is applied by one of them."""
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: migrate(secondary.dsn, Side.SECONDARY), range(2)))
    assert sorted(name for report in reports for name in report.migrations) == list(NAMES)
    assert state(secondary.dsn, Side.SECONDARY).current


def test_role_without_rights_is_refused(empty_pair: Pair) -> None:
    """A role that may not create anything is refused by name of the trouble, and nothing is left behind."""
    with pytest.raises(Refused, match="permission denied for database") as caught:
        migrate(empty_pair.secondary_gate, Side.SECONDARY)
    assert NAMES[0] in caught.value.what


def test_owner_of_the_table_is_needed(empty_pair: Pair) -> None:
    """A table that belongs to somebody else cannot be migrated, and the message says whose table it is not."""
    run_scripts(empty_pair.secondary_superuser, ("common",))
    with pytest.raises(Refused, match="must be owner of table planning"):
        migrate(empty_pair.secondary, Side.SECONDARY)


def test_plain_server_without_roles(empty_pair: Pair) -> None:
    """On a plain server the roles of Supabase are missing: it is said that grants are left out; the rest works."""
    report = migrate(empty_pair.primary, Side.SECONDARY)
    assert report.migrations == NAMES
    for role in ("anon", "authenticated", "service_role"):
        assert f"There is no role {role}: its grants and policies are left out." in report.notices
    with psycopg.connect(empty_pair.primary) as conn:
        conn.execute("INSERT INTO public.planning (type, title, content) VALUES ('story', 'A', '{}')")
        conn.execute("UPDATE public.planning SET title = 'B'")
        count = conn.execute("SELECT count(*) FROM public.planning_audit_log").fetchone()
    assert count == (2,)


def test_wrong_password_is_refused_without_it(empty_pair: Pair) -> None:
    """A wrong password is named as such and is not shown; a dead port is another matter."""
    wrong = psycopg.conninfo.make_conninfo(empty_pair.primary, password="canary")
    with pytest.raises(Refused) as refused:
        state(wrong, Side.PRIMARY)
    dead = psycopg.conninfo.make_conninfo(empty_pair.primary, port=1)
    with pytest.raises(Unavailable) as unavailable:
        state(dead, Side.PRIMARY)
    missing = psycopg.conninfo.make_conninfo(empty_pair.primary, dbname="canary")
    with pytest.raises(ConfigurationError) as no_database:
        state(missing, Side.PRIMARY)
    for caught in (refused, unavailable, no_database):
        assert "canary" not in str(caught.value)
        assert caught.value.__context__ is None


@newer_at_least
@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form in {"c2", "m1+sync"} else pytest.mark.soak) for form in FORMS]
)
def test_uninstall_keeps_every_row(secondary: Secondary, form: str) -> None:
    """Uninstalling removes what is ours, keeps all rows and tables, and can be followed by a new installation."""
    run_scripts(secondary.dsn, FORMS[form])
    migrate(secondary.dsn, Side.SECONDARY)
    kept = {table: rows(secondary.dsn, table) for table in ("planning", "planning_audit_log")}
    listed = uninstall(secondary.dsn, Side.SECONDARY, dry_run=True)
    assert state(secondary.dsn, Side.SECONDARY).current
    removed = uninstall(secondary.dsn, Side.SECONDARY)
    assert removed.objects == listed.objects
    assert "table twinstore.identity" in removed.objects
    assert "twinstore." not in schema_dump(secondary.dsn)
    assert {table: rows(secondary.dsn, table) for table in kept} == kept
    assert uninstall(secondary.dsn, Side.SECONDARY).objects == ()
    assert migrate(secondary.dsn, Side.SECONDARY).migrations == NAMES
    assert {table: rows(secondary.dsn, table) for table in kept} == kept


def _kill_waiting(superuser: str, runner: Future[MigrationReport]) -> None:
    """Cut the connection of the runner as soon as it waits for a lock."""
    with psycopg.connect(superuser, autocommit=True) as conn:
        while not runner.done():
            killed = conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'twinstore migrate' AND wait_event_type = 'Lock'"
                " AND datname = current_database()"
            ).fetchall()
            if killed:
                return
            time.sleep(0.02)
    pytest.fail("the runner never waited for the lock")
