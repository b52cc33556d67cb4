"""The few words that the SQL of PostgreSQL and SQLite do not share: a query is written once, with these filled in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of SQL.

    Attributes:
        name: What SQLAlchemy calls it.
        mark: The character around a name. SQLite reads an unknown name in double quotes as a text, and finds it in
            every row; in backquotes it is an error.
        bytewise: Follows a text that is compared byte by byte.
        by_time: Follows an instant or a date that is compared by time: SQLite has them as texts.
    """

    name: str
    mark: str
    bytewise: str
    by_time: str

    def identifier(self, name: str) -> str:
        """Quote a name, against the server and against those who read the query before: `str.format` and `:bind`."""
        quoted = f"{self.mark}{name.replace(self.mark, self.mark * 2)}{self.mark}"
        return quoted.replace("{", "{{").replace("}", "}}").replace(":", "\\:")


POSTGRESQL = Dialect(name="postgresql", mark='"', bytewise='COLLATE "C"', by_time="")
SQLITE = Dialect(name="sqlite", mark="`", bytewise="COLLATE BINARY", by_time="COLLATE moments")
"""Of spooled tables: all columns are texts. `moments` is `expectations.moments.compare`."""
