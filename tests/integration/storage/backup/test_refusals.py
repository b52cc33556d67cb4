"""What a server refuses while rows are brought back is named, and no value of a row is told."""

from __future__ import annotations

import traceback

import psycopg
import pytest

from contracts.errors import Conflict, SchemaMismatch
from contracts.vocabulary import StoreName
from storage.backup.refusals import refused_by_constraint
from storage.pg_errors import translate
from tests.support.accounts import url_of
from tests.support.servers import Pair

TABLES = """
CREATE DOMAIN public.short AS text CHECK (length(value) < 3);
CREATE DOMAIN public.some AS text NOT NULL;
CREATE TABLE public.parent (id int PRIMARY KEY, other int UNIQUE);
CREATE TABLE public.child (id int CHECK (id < 9), needed int NOT NULL, parent int REFERENCES public.parent,
  late int REFERENCES public.parent DEFERRABLE INITIALLY DEFERRED,
  held int REFERENCES public.parent ON DELETE RESTRICT);
CREATE TABLE public.parted (id int, at int) PARTITION BY LIST (id);
CREATE TABLE public.part PARTITION OF public.parted FOR VALUES IN (1);
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION USING MESSAGE = ''secret '' || new.at, ERRCODE = new.at::text; END';
CREATE TRIGGER refuse BEFORE INSERT ON public.part FOR EACH ROW EXECUTE FUNCTION public.refuse();
INSERT INTO public.parent VALUES (1, 1), (2, 2);
INSERT INTO public.child (needed, held) VALUES (1, 2);
"""
SENTENCES = {
    "SELECT 'secret'::public.short": "short_check of public.short (a type) does not allow a row of the backup",
    "SELECT NULL::public.some": "public.some (a type) needs a value, which a row of the backup does not have",
    "INSERT INTO public.child VALUES (9, 1)": "child_id_check of public.child does not allow a row of the backup",
    "INSERT INTO public.child VALUES (1)": "public.child needs a value in needed, which a row of the backup does not",
    "INSERT INTO public.child VALUES (1, 1, 3)": "child_parent_fkey of public.child refers to rows that would not be",
    "INSERT INTO public.child (needed, late) VALUES (1, 3); SET CONSTRAINTS ALL IMMEDIATE": "child_late_fkey of",
    "DELETE FROM public.parent WHERE id = 2": "child_held_fkey of public.child refers to rows that would not be",
    "INSERT INTO public.parent VALUES (3, 1)": "parent_other_key of public.parent does not let rows exchange",
    "INSERT INTO public.parted VALUES (2)": "public.parted has no partition for a row of the backup",
    "INSERT INTO public.parted VALUES (1, 23514)": "The function public.refuse refuses rows of the backup",
    "INSERT INTO public.parted VALUES (1, 90001)": "The function public.refuse refuses rows of the backup",
}


@pytest.mark.parametrize("store", StoreName)
def test_what_the_server_refuses_is_named(empty_pair: Pair, store: StoreName) -> None:
    """A constraint with its table or type, a column, a partition that is missing, a function that raises."""
    said = {}
    with psycopg.connect(url_of(empty_pair, store), autocommit=True) as connection:
        connection.execute(TABLES.encode())
        connection.execute("SET search_path = pg_catalog")
        for statement in SENTENCES:
            with pytest.raises(Conflict) as refused, translate(store), refused_by_constraint(store):
                connection.execute(statement.encode())
            said[statement] = refused.value.what[: len(SENTENCES[statement])]
            assert "secret" not in "".join(traceback.format_exception(refused.value))
            assert refused.value.__context__ is None
    assert said == SENTENCES


def test_what_no_constraint_refuses_is_left_alone(empty_pair: Pair) -> None:
    """Other errors are told as they always are."""
    with (
        psycopg.connect(empty_pair.primary) as connection,
        pytest.raises(SchemaMismatch, match="nowhere"),
        translate(StoreName.PRISMA),
        refused_by_constraint(StoreName.PRISMA),
    ):
        connection.execute("SELECT FROM nowhere")
