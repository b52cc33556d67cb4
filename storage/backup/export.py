"""The rows of a store that is reached over REST only: pulled page by page, kept as compressed lines of JSON.

The first line names the columns of the dataset; each further one is a row, a text or null per column, by range and key
as they were pulled. How many there are was proven by the server's own counts (`storage.rest.pages`).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.backups import DatasetContent
from contracts.dataset import Dataset
from contracts.errors import ConfigurationError, ProtocolError
from contracts.vocabulary import StoreName
from storage.backup.contents import dataset_content
from storage.backup.dump import PIECE_BYTES, Written
from storage.files import open_private
from storage.ports import HashKind, Reader

KIND = HashKind.TEXT  # the only kind that can be computed here
SUFFIX = ".rows.jsonl.gz"


def export_rows(
    reader: Reader, folder: Path, *, progress: Callable[[str], None] = lambda _: None
) -> tuple[Written, DatasetContent]:
    """Pull all rows of a dataset into a file of a folder, and digest what was pulled.

    Raises:
        TwinstoreError: The store cannot be read, or rows were lost on the way.
        OSError: The file cannot be written.
    """
    dataset, store = reader.dataset, reader.store
    path = folder / f"{store}-{dataset.name}{SUFFIX}"
    with reader.snapshot(KIND) as snapshot:
        progress(f"pull {dataset.name} of {store}")
        content = dataset_content(dataset, store, snapshot, kind=KIND, probe=reader.hash_probe(KIND))
        rows = 0
        with _lines(path) as (file, written):
            _write(file, [column.name for column in dataset.columns])
            for batch in snapshot.batches():
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    _write(file, row)
                rows += batch.num_rows
                progress(f"keep {dataset.name} of {store}: {rows:,} rows")
    if rows != content.rows:
        raise ProtocolError(
            f"{rows:,} rows of {store} were kept, but {content.rows:,} were counted.", "Try again.", store=store
        )
    return written(), content


def exported_rows(path: Path, dataset: Dataset, store: StoreName) -> Iterator[tuple[str | None, ...]]:
    """Yield the rows of a file that `export_rows` wrote.

    Raises:
        ProtocolError: The file ends early.
        ConfigurationError: It holds other columns than the dataset has now.
    """
    names = [column.name for column in dataset.columns]
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            if json.loads(file.readline()) != names:
                raise ConfigurationError(
                    f"{path.name} holds other columns than {dataset.name} has now, so that it cannot be tried.",
                    "Use the contract with which the backup was made.",
                    store=store,
                )
            for line in file:
                yield tuple(json.loads(line))
    except (EOFError, OSError, ValueError, zlib.error) as exc:
        raise ProtocolError(
            f"{path.name} cannot be read to its end ({type(exc).__name__}).", "Use another backup.", store=store
        ) from None


def _write(file: gzip.GzipFile, row: Any) -> None:
    file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


@contextmanager
def _lines(path: Path) -> Iterator[tuple[gzip.GzipFile, Callable[[], Written]]]:
    """Open a compressed file for its owner alone; what it became can be asked for at the end."""
    handle = open_private(path, os.O_RDWR | os.O_EXCL)
    with open(handle, "w+b") as raw:  # noqa: PTH123 - of a descriptor
        found: list[Written] = []
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
            yield packed, lambda: found[0]
        raw.flush()
        os.fsync(raw.fileno())
        raw.seek(0)
        digest = hashlib.sha256()
        while piece := raw.read(PIECE_BYTES):
            digest.update(piece)
        found.append(Written(name=path.name, size=raw.tell(), sha256=digest.hexdigest()))
