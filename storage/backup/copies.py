"""The rows of a backup beside those of a store: copied into a temporary table, from where they are written by SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.vocabulary import StoreName
from storage.backup import statements
from storage.backup.comparing import row_text
from storage.backup.contents import frozen
from storage.backup.drill import LIMITS
from storage.backup.manner import writing_as
from storage.backup.references import parents_first
from storage.backup.refusals import refused_by_constraint
from storage.backup.target import Rows
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The rows of a dataset, copied.

    Attributes:
        rows: The rows.
        store: The store.
        connection: A transaction that sees the copy.
        names: What the statements are made of.
        manner: The settings by which the role writes of itself.
        written: How many rows each statement wrote.
    """

    rows: Rows
    store: StoreName
    connection: psycopg.Connection[Any]
    names: Mapping[str, Any]
    manner: Mapping[str, str]
    written: Counter[str] = field(default_factory=Counter)

    @property
    def table(self) -> tuple[str, str]:
        """Schema and table of the real rows."""
        return self.rows.dataset.tables[self.store]

    def run(self, *acts: str) -> None:
        """Run statements as the role does of itself, and count the rows that they write."""
        for act in acts:
            with writing_as(self.connection, self.manner):
                self.written[act] += self._execute(act).rowcount

    def change(self) -> None:
        """Change the rows that are otherwise; which ones these are is seen by settings of ours."""
        if self.names["settings"].as_string():
            self.do(statements.MARK)
            self.run(statements.CHANGE)

    def take(self, mark: str = statements.MARK) -> None:
        """Delete the rows that are otherwise, to insert them anew; which ones these are says a statement."""
        self.do(mark)
        self.run(statements.TAKE)
        self.do(statements.UNMARK)

    def count(self, statement: str) -> int:
        """Return the number that a statement gives."""
        ((number,),) = self._execute(statement).fetchall()
        return int(number)

    def do(self, *acts: str) -> None:
        """Run statements that write no rows."""
        for act in acts:
            self._execute(act)

    def _execute(self, statement: str) -> psycopg.Cursor[Any]:
        from psycopg import sql

        return self.connection.execute(sql.SQL(statement).format(**self.names))


def copied(
    connection: psycopg.Connection[Any], store: StoreName, rows: Rows, number: int, *, manner: Mapping[str, str]
) -> Copied:
    """Copy the rows of the scratch database as the server writes them; nothing of them is looked at here.

    Raises:
        Conflict: A type of the target does not allow a value.
        TwinstoreError: A server does not answer, or has no room.
    """
    from psycopg import sql

    copy = Copied(rows=rows, store=store, connection=connection, names=_names(store, rows, number), manner=manner)
    source = sql.SQL("COPY (SELECT {columns} FROM {table}) TO STDOUT").format(
        table=sql.Identifier(*rows.source), columns=copy.names["columns"]
    )
    sink = sql.SQL("COPY {copied} ({columns}) FROM STDIN").format(**copy.names)
    with translate(store):
        copy.do(statements.MAKE)
        with (
            refused_by_constraint(store),
            frozen(rows.scratch.superuser, store, LIMITS) as scratch,
            scratch.cursor() as reading,
            connection.cursor() as writing,
            reading.copy(source) as given,
            writing.copy(sink) as taken,
        ):
            for piece in given:
                taken.write(piece)
        copy.do(statements.INDEX, statements.ANALYZE)
    return copy


def write(copies: Sequence[Copied]) -> None:
    """Write the rows of all tables.

    What is inserted must find the rows that it refers to, and what is deleted must not be referred to any more: rows
    are inserted and changed, parents first, and deleted at the end, children first. Where something beside the key
    keeps rows apart, one that goes may stand in the way of one that comes, and two may exchange their values: where
    that turns out, all is taken back, and place is made before anything comes.

    Raises:
        psycopg.errors.IntegrityError: A constraint does not allow either.
    """
    from psycopg import errors

    known = {copy.table: copy for copy in copies}
    order = parents_first(
        {table: {reference.table for reference in copy.rows.references} for table, copy in known.items()}
    )
    parents = [known[table] for table in order]
    try:
        with copies[0].connection.transaction():  # a savepoint
            _write_then_delete(parents)
    except (errors.UniqueViolation, errors.ExclusionViolation) as apart:
        for copy in copies:
            copy.written.clear()
        try:
            _delete_then_write(parents)
        except (errors.ForeignKeyViolation, errors.RestrictViolation) as held:  # of rows that would change or go, too
            raise (apart if (held.diag.schema_name, held.diag.table_name) in known else held) from None


def _write_then_delete(parents: Sequence[Copied]) -> None:
    for copy in reversed(parents):
        if copy.rows.fixed and copy.rows.renewable:  # what the server numbers can be inserted, not changed
            copy.take(statements.MARK_NUMBERED)
    for copy in parents:
        copy.run(statements.INSERT)
        copy.change()
    for copy in reversed(parents):
        copy.run(statements.DELETE)


def _delete_then_write(parents: Sequence[Copied]) -> None:
    """Delete before anything is written, also rows that change if nothing but their new values will tell of it."""
    for copy in reversed(parents):
        copy.run(statements.DELETE)
        if copy.rows.renewable:
            copy.take()
    for copy in parents:
        if copy.rows.rivals:
            copy.change()
            copy.run(statements.INSERT)
        else:
            copy.run(statements.INSERT)
            copy.change()


def _names(store: StoreName, rows: Rows, number: int) -> dict[str, Any]:
    from psycopg import sql

    comma, both, key = sql.SQL(", "), sql.SQL(" AND "), rows.key(store)
    equal = [sql.SQL("{} = {}").format(sql.Identifier("t", name), sql.Identifier("r", name)) for name in key]
    settings = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("r", name))
        for name in rows.columns
        if name not in rows.fixed
    ]
    return {
        "table": sql.Identifier(*rows.dataset.tables[store]),
        "copied": sql.Identifier("pg_temp", statements.COPIED.format(number)),
        "otherwise": sql.Identifier("twinstore otherwise"),
        "key": comma.join(map(sql.Identifier, key)),
        "columns": comma.join(map(sql.Identifier, rows.columns)),
        "same_key": both.join(equal),
        "settings": comma.join(settings),
        "row": row_text("t", rows.columns),
        "copied_row": row_text("r", rows.columns),
        "numbers": row_text("t", sorted(rows.fixed)),
        "copied_numbers": row_text("r", sorted(rows.fixed)),
    }
