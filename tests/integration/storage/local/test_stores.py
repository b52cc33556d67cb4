"""What the two databases look like: the application's on the primary, the hosted project's on the secondary."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from storage.local import stores
from tests.support.servers import Pair, Servers

_SUB = "7b6c1d8e-1f2a-4b3c-8d4e-5f6a7b8c9d0e"

_COLUMNS = """
    SELECT column_name, CASE WHEN data_type LIKE 'timestamp%' THEN format('timestamp(%s)', datetime_precision)
           ELSE data_type END, is_nullable = 'YES', column_default
    FROM information_schema.columns WHERE table_name = 'planning' ORDER BY ordinal_position
"""
_MODEL = Path(__file__).parents[4] / "prisma" / "schema.prisma"
_PRISMA_TYPES = {"String": "text", "Int": "integer", "Json": "jsonb", "DateTime": "timestamp(3)"}


@pytest.fixture
def prisma_table(empty_pair: Pair) -> Pair:
    """The primary with the table of the application."""
    stores.create_prisma_table(empty_pair.primary)
    stores.create_prisma_table(empty_pair.primary)  # a second time changes nothing
    return empty_pair


def _model() -> list[str]:
    return re.findall(r"^  (.+?)(?: //.*)?$", _MODEL.read_text().partition("model Planning {")[2], re.MULTILINE)


def test_primary_table_is_the_one_of_the_prisma_model(prisma_table: Pair) -> None:
    """Names, types and NULL-ability of the columns are those that Prisma makes of the model."""
    expected = []
    for line in _model():
        if not line.startswith("@@"):
            field, kind = line.split()[:2]
            mapped = re.search(r'@map\("(\w+)"\)', line)
            expected.append((mapped[1] if mapped else field, _PRISMA_TYPES[kind.rstrip("?")], kind.endswith("?")))
    with psycopg.connect(prisma_table.primary) as connection:
        columns = connection.execute(_COLUMNS.encode()).fetchall()
    assert [row[:3] for row in columns] == expected
    assert {row[0]: row[3] for row in columns if row[3]} == {
        "status": "'draft'::text",
        "version": "1",
        "storage_status": "'pending'::text",
        "created_at": "CURRENT_TIMESTAMP",
    }


def test_primary_indexes_are_named_as_prisma_names_them(prisma_table: Pair) -> None:
    """Each index of the model is there under Prisma's name, and nothing else is."""
    fields = {line.split()[0]: line for line in _model() if not line.startswith("@@")}
    expected = {"planning_pkey"}
    for columns in re.findall(r"@@index\(\[(.+?)\]\)", _MODEL.read_text()):
        names = [m[1] if (m := re.search(r'@map\("(\w+)"\)', fields[c])) else c for c in columns.split(", ")]
        expected.add(f"planning_{'_'.join(names)}_idx")
    with psycopg.connect(prisma_table.primary) as connection:
        found = {row[0] for row in connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'planning'")}
        constraints = connection.execute(
            "SELECT string_agg(contype::text, '') FROM pg_constraint WHERE conrelid = 'planning'::regclass"
        ).fetchone()
    assert found == expected
    assert constraints == ("p",)


def test_application_owns_its_database_and_is_no_superuser(still_empty_pair: Pair) -> None:
    """The application's role can do what an application can do, and no more."""
    with psycopg.connect(still_empty_pair.primary) as connection:
        row = connection.execute(
            "SELECT r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolbypassrls"
            " FROM pg_database AS d JOIN pg_roles AS r ON r.oid = d.datdba WHERE d.datname = current_database()"
        ).fetchone()
    assert row == ("app", False, False, False, False)


@pytest.mark.parametrize(
    ("role", "attributes"),
    [
        # login, inherit, superuser, createrole, createdb, bypassrls
        ("postgres", (True, True, False, True, True, True)),
        ("anon", (False, True, False, False, False, False)),
        ("authenticated", (False, True, False, False, False, False)),
        ("service_role", (False, True, False, False, False, True)),
        ("authenticator", (True, False, False, False, False, False)),
        ("supabase_admin", (True, True, True, True, True, True)),
    ],
)
def test_roles_are_those_of_a_hosted_project(still_empty_pair: Pair, role: str, attributes: tuple[bool, ...]) -> None:
    """Each role has the attributes that it has on a hosted project."""
    with psycopg.connect(still_empty_pair.secondary) as connection:
        row = connection.execute(
            "SELECT rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls"
            " FROM pg_roles WHERE rolname = %s",
            [role],
        ).fetchone()
    assert row == attributes


def test_time_limits_are_those_of_a_hosted_project(still_empty_pair: Pair) -> None:
    """Roles that serve requests give up soon."""
    with psycopg.connect(still_empty_pair.secondary) as connection:
        rows = connection.execute(
            "SELECT rolname, c FROM pg_roles, unnest(rolconfig) AS c WHERE c LIKE '%\\_timeout=%'"
        ).fetchall()
    assert set(rows) == {
        ("postgres", "statement_timeout=2min"),
        ("anon", "statement_timeout=3s"),
        ("authenticated", "statement_timeout=8s"),
        ("authenticator", "statement_timeout=8s"),
        ("authenticator", "lock_timeout=8s"),
    }


def test_gate_becomes_the_roles_of_requests_and_nothing_by_itself(empty_pair: Pair) -> None:
    """The authenticator may switch to each role of a request, and reads nothing without switching."""
    with psycopg.connect(empty_pair.secondary) as owner:
        owner.execute("CREATE TABLE public.t (n integer)")
        owner.execute("GRANT SELECT ON public.t TO authenticated")
    with psycopg.connect(empty_pair.secondary_gate, autocommit=True) as gate:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gate.execute("SELECT * FROM public.t")
        for role in ("anon", "authenticated", "service_role"):
            with gate.transaction():
                gate.execute(f"SET LOCAL ROLE {role}".encode())
                assert gate.execute("SELECT current_user::text").fetchone() == (role,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            gate.execute("SET ROLE supabase_admin")


def test_new_tables_need_a_grant_and_new_functions_a_revoke(empty_pair: Pair) -> None:
    """As hosted since October 2026: nobody reads a new table, everybody may execute a new function."""
    with psycopg.connect(empty_pair.secondary) as owner:
        owner.execute("CREATE TABLE public.t (n serial)")
        owner.execute("CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql RETURN 1")
        owner.execute("REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC")
        for role in ("anon", "authenticated", "service_role"):
            row = owner.execute(
                "SELECT has_table_privilege(%(r)s, 'public.t', 'SELECT, INSERT, UPDATE, DELETE'),"
                " has_sequence_privilege(%(r)s, 'public.t_n_seq', 'USAGE, SELECT'),"
                " has_table_privilege(%(r)s, 'public.t', 'TRUNCATE'),"
                " has_function_privilege(%(r)s, 'public.f()', 'EXECUTE')",
                {"r": role},
            ).fetchone()
            assert row == (False, False, True, True)


def test_platform_objects_are_open_to_all_roles(empty_pair: Pair) -> None:
    """Tables that the platform's own superuser makes in public are granted to every role, as hosted."""
    with psycopg.connect(empty_pair.secondary_superuser) as platform:
        platform.execute("CREATE TABLE public.p (n integer)")
        row = platform.execute("SELECT has_table_privilege('anon', 'public.p', 'SELECT')").fetchone()
    assert row == (True,)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (None, (None, None, None)),
        ("", (None, None, None)),  # what PostgREST leaves behind on a pooled connection
        (f'{{"sub": "{_SUB}", "role": "authenticated"}}', (_SUB, "authenticated", _SUB)),
        ('{"role": "anon"}', (None, "anon", None)),
    ],
)
def test_claims_are_read_safely(still_empty_pair: Pair, claims: str | None, expected: tuple[str | None, ...]) -> None:
    """The functions of schema auth answer NULL without claims, also after another request on the connection."""
    with psycopg.connect(still_empty_pair.secondary_gate) as gate:
        gate.execute("SET LOCAL ROLE authenticated")
        if claims is not None:
            gate.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
        row = gate.execute("SELECT auth.uid()::text, auth.role(), auth.jwt() ->> 'sub'").fetchone()
    assert row == expected


def test_row_level_security_uses_the_claims(empty_pair: Pair) -> None:
    """A policy on auth.uid() shows each user their own rows; the service role and the owner see all."""
    with psycopg.connect(empty_pair.secondary) as owner:
        owner.execute("CREATE TABLE public.t (owner uuid)")
        owner.execute("ALTER TABLE public.t ENABLE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY own ON public.t FOR SELECT USING (owner = (SELECT auth.uid()))")
        owner.execute("GRANT SELECT ON public.t TO anon, authenticated, service_role")
        owner.execute("INSERT INTO public.t VALUES (%s), (gen_random_uuid())", [_SUB])
        assert owner.execute("SELECT count(*) FROM public.t").fetchone() == (2,)
    seen = {}
    for role in ("anon", "authenticated", "service_role"):
        with psycopg.connect(empty_pair.secondary_gate) as gate:
            gate.execute(f"SET LOCAL ROLE {role}".encode())
            gate.execute("SELECT set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{_SUB}"}}'])
            row = gate.execute("SELECT count(*) FROM public.t").fetchone()
            seen[role] = row[0] if row else None
    assert seen == {"anon": 1, "authenticated": 1, "service_role": 2}


def test_dressing_twice_changes_nothing(servers: Servers, empty_pair: Pair) -> None:
    """The dress can be put on again: privileges and settings are the same afterwards."""
    query = b"""
        SELECT (SELECT array_agg(defaclacl::text ORDER BY oid) FROM pg_default_acl),
               (SELECT array_agg(nspname || nspacl::text ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'),
               (SELECT array_agg(rolname || coalesce(rolconfig::text, '') ORDER BY rolname) FROM pg_roles),
               (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database())
    """
    with psycopg.connect(empty_pair.secondary_superuser) as connection:
        before = connection.execute(query).fetchone()
        dbname = connection.info.dbname
    stores.prepare_secondary(servers.secondary, dbname=dbname)
    with psycopg.connect(empty_pair.secondary_superuser) as connection:
        assert connection.execute(query).fetchone() == before


def test_owner_of_the_secondary_can_work_in_public(empty_pair: Pair) -> None:
    """The customer's role owns database and schema public, as on a hosted project."""
    with psycopg.connect(empty_pair.secondary) as owner:
        row = owner.execute(
            "SELECT pg_get_userbyid(datdba)::text, has_schema_privilege('public', 'CREATE'),"
            " has_schema_privilege('extensions', 'CREATE'), has_schema_privilege('auth', 'CREATE')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        owner.execute("COMMENT ON SCHEMA public IS 'ours'")
    assert row == ("postgres", True, True, False)
