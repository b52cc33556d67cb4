"""A table in SQLite for suites that no server of ours can run: canonical field texts, one column each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from contracts.dataset import Dataset
from storage.canonical_text import field_text
from storage.chunks import chunks
from storage.rest.client import RestClient, Values
from storage.rest.pages import pull
from storage.rest.row_file import RowFile, private_folder
from storage.rest.table import RestTable, with_key

ROWS_AT_ONCE = 5_000


@contextmanager
def suite_file(
    client: RestClient, dataset: Dataset, columns: Sequence[str], *, rows: Iterator[Values] | None = None
) -> Iterator[Path]:
    """Write columns of all rows to a SQLite file with a table named as the dataset, all its columns TEXT.

    Values are written as `storage.canonical_text.field_text` gives them, so that instants are in UTC without a zone.

    Args:
        client: The connection.
        dataset: The dataset.
        columns: Canonical names of the columns; the key's columns come along.
        rows: All rows with all columns, where they were pulled before; without them they are pulled now.

    Yields:
        Path of the file, which is gone afterwards.

    Raises:
        TwinstoreError: The rows cannot be pulled, or hold a value that is none of its column's type.
    """
    chosen = with_key(dataset, columns)
    names = [column.name for column in chosen]

    def convert(row: Values) -> Values:
        return tuple(field_text(c, text, store=client.store) for c, text in zip(chosen, row, strict=True))

    with private_folder() as folder:
        path = folder / "suite.sqlite"
        file = RowFile(path, dataset.name, names, store=client.store, unique=dataset.key, convert=convert)
        with closing(file):
            if rows is None:
                pull(RestTable(client, dataset, chosen), file)
            else:
                places = [n for n, column in enumerate(dataset.columns) if column in chosen]
                for some in chunks(rows, ROWS_AT_ONCE):
                    file.add(0, [tuple(row[n] for n in places) for row in some])
        yield path
