"""What makes two bare servers the two stores: roles, databases, the Prisma table, the dress of a Supabase project."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from storage.local.server import Server

if TYPE_CHECKING:
    from psycopg import Connection

PRIMARY_VERSION = 16
PRIMARY_SUPERUSER = "postgres"
APP = "app"
"""Role and database of the application on the primary; not a superuser."""

SECONDARY_VERSION = 18
SECONDARY_SUPERUSER = "supabase_admin"
CUSTOMER = "postgres"
"""Role and database of the customer on the secondary, as on a hosted project; not a superuser."""
GATE = "authenticator"
"""Login role of whatever serves the secondary over REST; it becomes anon, authenticated or service_role."""


def prepare_primary(server: Server, *, dbname: str = APP) -> None:
    """Make the application's role and its empty database unless they are there.

    Args:
        server: The running primary.
        dbname: Name of the database.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", APP):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP)))
        _set_password(connection, server, APP)
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", dbname):
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(create.format(sql.Identifier(dbname), sql.Identifier(APP)))


def create_prisma_table(dsn: str) -> None:
    """Create the planning table as a Prisma application has it, unless it is there.

    Args:
        dsn: URL of the primary, as the application's role.
    """
    _run_script(dsn, "prisma.sql")


def prepare_secondary(server: Server, *, dbname: str = CUSTOMER) -> None:
    """Dress a database as a hosted Supabase project; make it unless it is there.

    Args:
        server: The running secondary, whose superuser is `supabase_admin`.
        dbname: Name of the database.
    """
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", dbname):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(dbname)))
    _run_script(server.dsn(dbname), "supabase.sql")
    with psycopg.connect(server.dsn()) as connection:
        for role in (CUSTOMER, GATE):
            _set_password(connection, server, role)


def _exists(connection: Connection, query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None


def _set_password(connection: Connection, server: Server, role: str) -> None:
    from psycopg import sql

    # Only the verifier travels, so that no log and no statistics view can show the password.
    verifier = connection.pgconn.encrypt_password(server.password(role).encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier.decode())))


def _run_script(dsn: str, name: str) -> None:
    import psycopg

    with psycopg.connect(dsn) as connection:
        connection.execute((files("storage.local") / name).read_bytes())
