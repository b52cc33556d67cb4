"""What pg_restore says: whose fault it is, and what could not be tried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.backups import Form, KeptSide, Outside, Shape, TableContent
from contracts.vocabulary import Channel, StoreName
from storage.backup.answers import Stopped, Untried, gave_up, read_answer

SIDE = KeptSide(
    store=StoreName.PRISMA,
    channel=Channel.SQL,
    form=Form.DUMP,
    files=(),
    taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    schemas=("public",),
    shape=Shape(indexes=("public.one.of_a_table", 'public."One"."Of a table"'), triggers=("public.one.t O",)),
    outside=Outside(functions=(("auth", "CREATE FUNCTION auth.uid()"),)),
)
VIEW = """pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 215; 1259 16394 VIEW users owner
pg_restore: error: could not execute query: ERROR:  relation "auth.users" does not exist
LINE 3:    FROM auth.users;
Command was: CREATE VIEW public.users AS SELECT id FROM auth.users;
"""
FOLLOWING = """pg_restore: from TOC entry 216; 1259 16395 VIEW few owner
pg_restore: error: could not execute query: ERROR:  relation "public.users" does not exist
Command was: CREATE VIEW public.few AS SELECT id FROM public.users;
"""
BROKEN = """pg_restore: from TOC entry 217; 0 16396 TABLE DATA one owner
pg_restore: error: COPY failed for table "one": ERROR:  invalid input syntax for type integer: "x"
CONTEXT:  COPY one, line 1, column a: "x"
"""
END = "pg_restore: warning: errors ignored on restore: 2\n"


def test_what_needs_another_schema_is_named_with_what_follows_from_it() -> None:
    """A view of a view fails, too, and its error names only the first one."""
    needs = "a relation of schema auth"
    assert read_answer(VIEW + FOLLOWING + END, SIDE) == (Untried("VIEW users", needs), Untried("VIEW few", needs))


def said(*failures: tuple[str, str]) -> str:
    """Write what pg_restore says when it worked on something, and came to an error there."""
    return "".join(
        f"pg_restore: from TOC entry 217; 0 16396 {what} owner\npg_restore: error: COPY failed: ERROR:  {error}\n"
        for what, error in failures
    )


MISSING = 'relation "public.users" does not exist'
ORPHAN = 'insert or update on table "one" violates foreign key constraint "f"'
TWICE = 'could not create unique index "i"\nDETAIL:  Key ({})=(x) is duplicated.'
OTHER_DAY = 'date/time field value out of range: "31/12/2025"'
ODD = "a thing that only this server says"


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (VIEW + BROKEN + END, "TABLE DATA one"),
        (said(("TABLE DATA one", "null value in column")) + END, "TABLE DATA one"),
        (said(("CONSTRAINT one i", TWICE.replace("{}", "name"))) + END, "CONSTRAINT one i"),
        (said(("VIEW v", ODD), ("FK CONSTRAINT one f", ORPHAN)) + END, "FK CONSTRAINT one f"),
        (VIEW + "pg_restore: error: could not read from input file: end of file\n", "VIEW users"),
        (VIEW, "VIEW users"),  # it did not come to its end
        ("", ""),
    ],
)
def test_what_lies_in_the_dump_stops_it(answer: str, where: str) -> None:
    """Rows that nobody can take, or an end that is missing, whatever else could not be made."""
    assert read_answer(answer, SIDE) == Stopped(where)


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (FOLLOWING, False),
        (said(("FUNCTION f()", "syntax error")), False),
        (said(("MATERIALIZED VIEW DATA v", "invalid input syntax")), False),
        (said(("TABLE one", ODD)), True),
        (said(("TABLE ATTACH one", MISSING)), True),
        (said(("TABLE DATA one", 'new row for relation "one" violates check constraint "c"')), True),
        (said(("INDEX of_a_table", ODD)), True),
        (said(("INDEX Of a table", ODD)), True),
        (said(("INDEX ATTACH of_a_view", ODD)), True),
        (said(("INDEX of_a_view", TWICE.replace("{}", "name"))), False),
        (said(("INDEX of_a_table", TWICE.replace("{}", "lower(name)"))), True),
        (said(("TRIGGER one t", ODD)), True),
        (said(("TRIGGER a_view t", ODD)), False),
        (said(("DEFAULT users id", ODD)), True),
        (VIEW + said(("DEFAULT users id", MISSING)), False),
        (said(("TABLE DATA other", MISSING), ("FK CONSTRAINT one f", ORPHAN)), True),
        (said(("INDEX of_a_table", OTHER_DAY)), True),
        (said(("CONSTRAINT one c", OTHER_DAY)), True),
        (said(("TABLE DATA one", OTHER_DAY + '\nCONTEXT:  COPY one, line 1: "31/12/2025, line 2, column x"')), True),
        (said(("TABLE DATA one", OTHER_DAY + "\nCONTEXT:  PL/pgSQL function d()\nCOPY one, line 1, column a")), True),
    ],
)
def test_what_cannot_be_made_counts_where_rows_depend_on_it(answer: str, *, counts: bool) -> None:
    """Whatever the error says: a scratch server lacks much that another one has."""
    untried = read_answer(answer + END, SIDE)
    assert isinstance(untried, tuple)
    assert {one.counts for one in untried} == {counts}


def test_the_words_of_a_statement_are_none_of_the_error() -> None:
    """A function, or a default, may speak of errors."""
    answer = said(("TABLE one", ODD)) + "Command was: CREATE TABLE one (t text DEFAULT 'ERROR:  syntax error');\n" + END
    assert read_answer(answer, SIDE) == (Untried("TABLE one", counts=True),)


@pytest.mark.parametrize(
    ("what", "table", "same"),
    [
        ("TABLE DATA one", "public.one", True),
        ("TABLE ATTACH one_1", "public.one", True),
        ("TABLE DATA one_1", "public.one", True),
        ("TABLE Some One", 'public."Some One"', True),
        ("TABLE one", "public.another_one", False),
        ("VIEW one", "public.one", False),
    ],
)
def test_a_table_is_known_by_its_name(what: str, table: str, *, same: bool) -> None:
    """As pg_restore writes it, and as a manifest does; a partition of it is one of its parts."""
    content = TableContent(name=table, rows=1, digest="", parts=(f"{table}_1",))
    assert Untried(what).concerns(content) is same


@pytest.mark.parametrize(
    ("answer", "server"),
    [
        ("pg_restore: error: could not execute query: ERROR:  could not extend file: No space left on device", True),
        ("pg_restore: error: server closed the connection unexpectedly", True),
        ("pg_restore: error: could not execute query: ERROR:  out of memory\nDETAIL:  Failed on request", True),
        ("pg_amcheck: error: query failed: server closed the connection unexpectedly", True),
        ("pg_restore: error: could not read from input file: end of file", False),
        ('pg_restore: creating TABLE "public.connection to server"', False),
        ('pg_restore: error: x: ERROR:  relation "a: out of memory" does not exist\nLINE 1: : out of memory', False),
        (f"{VIEW}Command was: SELECT 'x: out of memory'", False),
    ],
)
def test_a_server_that_gives_up_says_nothing_about_the_backup(answer: str, *, server: bool) -> None:
    """A full disk of the drill is not a damage of the dump."""
    assert gave_up(answer) is server
