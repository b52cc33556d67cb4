"""PostgreSQL's errors in our words: the class that the caller acts on, and nothing that must not be seen."""

from __future__ import annotations

import logging

import psycopg
import psycopg.errors
import pytest
import sqlalchemy.exc

from contracts.errors import (
    ConfigurationError,
    Conflict,
    InternalFault,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from contracts.vocabulary import StoreName
from storage.pg_errors import classify, translate

EXPECTED = {
    "08006": Unavailable,
    "08P01": Unavailable,
    "53300": Unavailable,
    "53100": Unavailable,
    "57P01": Unavailable,
    "57P03": Unavailable,
    "58030": Unavailable,
    "28P01": Refused,
    "28000": Refused,
    "42501": Refused,
    "25006": Refused,
    "3D000": ConfigurationError,
    "3F000": SchemaMismatch,
    "42P01": SchemaMismatch,
    "42703": SchemaMismatch,
    "42804": SchemaMismatch,
    "42883": SchemaMismatch,
    "2BP01": SchemaMismatch,
    "42601": InternalFault,
    "25P02": InternalFault,
    "57014": TimedOut,
    "55P03": TimedOut,
    "25P03": TimedOut,
    "40001": Conflict,
    "40P01": Conflict,
    "22P02": ProtocolError,
    "23505": ProtocolError,
    "XX001": ProtocolError,
    "P0001": ProtocolError,
}


@pytest.mark.parametrize(("sqlstate", "kind"), EXPECTED.items())
def test_sqlstate_decides(sqlstate: str, kind: type[TwinstoreError]) -> None:
    """The SQLSTATE alone decides what the caller does."""
    assert classify(sqlstate) is kind


@pytest.mark.parametrize(("sqlstate", "kind"), [(s, k) for s, k in EXPECTED.items() if s != "08P01"])
def test_server_error_is_translated(sqlstate: str, kind: type[TwinstoreError]) -> None:
    """An error of the server keeps its SQLSTATE and its store, and loses its text."""
    with pytest.raises(kind) as caught, translate(StoreName.PRISMA):
        raise psycopg.errors.lookup(sqlstate)("duplicate key (email)=(alice@example.org) canary")
    assert sqlstate in str(caught.value)
    assert caught.value.store == StoreName.PRISMA
    assert "canary" not in str(caught.value)
    assert "alice" not in str(caught.value)


def test_nothing_of_the_driver_is_chained() -> None:
    """Neither cause nor context leads to the driver's exception, which holds the connection's password."""
    with pytest.raises(Unavailable) as caught, translate(StoreName.SUPABASE):
        raise psycopg.OperationalError("connection to canary failed")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "host=127.0.0.1 password=canary1 canary2",
        "postgresql://u:canary%zz@127.0.0.1/db",
        "postgresql://u:canary@[127.0.0.1/db",
    ],
)
def test_unparsable_dsn_shows_no_piece_of_it(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    """A connection string that does not parse is a matter of configuration, and no piece of it is shown or logged."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigurationError) as caught, translate(StoreName.PRISMA):
        psycopg.connect(dsn)
    assert "canary" not in str(caught.value)
    assert "canary" not in caplog.text
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('connection failed: FATAL:  password authentication failed for user "canary"', Refused),
        ('connection failed: FATAL:  role "canary" does not exist', Refused),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "canary", database "canary"', Refused),
        ("fe_sendauth: no password supplied", Refused),
        ("FATAL:  Tenant or user not found", Refused),
        ('FATAL:  database "canary" does not exist', ConfigurationError),
        ("Connection refused. Is the server running on canary?", Unavailable),
        ("consuming input failed: server closed the connection unexpectedly", Unavailable),
        ("the connection is closed", Unavailable),
    ],
)
def test_failed_connection_is_classified(text: str, kind: type[TwinstoreError]) -> None:
    """A connection that was refused differs from one that could not be made; names stay out of both."""
    with pytest.raises(kind) as caught, translate(StoreName.PRISMA):
        raise psycopg.OperationalError(text)
    assert "canary" not in str(caught.value)


def test_value_that_cannot_be_sent_is_our_fault() -> None:
    """A value that the driver cannot send is no matter of the user's configuration."""
    with pytest.raises(InternalFault), translate(StoreName.PRISMA):
        raise psycopg.ProgrammingError("cannot adapt type 'Canary'")


def test_sqlalchemy_is_unwrapped() -> None:
    """What SQLAlchemy wraps is judged by what psycopg said."""
    inner = psycopg.errors.UndefinedTable("relation canary")
    with pytest.raises(SchemaMismatch), translate(StoreName.PRISMA):
        raise sqlalchemy.exc.ProgrammingError("SELECT canary", {"canary": 1}, inner)


def test_other_exceptions_pass() -> None:
    """What no driver raised, our own errors included, passes as it is."""
    with pytest.raises(ZeroDivisionError), translate(StoreName.PRISMA):
        raise ZeroDivisionError
    ours = Refused("What.", "Todo.")
    with pytest.raises(Refused) as caught, translate(StoreName.PRISMA):
        raise ours
    assert caught.value is ours


def test_quiet_block_is_quiet() -> None:
    """A block that raises nothing is left alone."""
    with translate(StoreName.PRISMA):
        pass
