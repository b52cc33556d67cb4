"""A process that pulls both stores into pandas and compares the frames by datacompy; see `flows.bench.children`.

Both sides are pulled at once and by twinstore's own COPY into Arrow, the fastest way that was found, so that the
comparison is not slowed by a slow driver.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

from contracts.dataset import ColumnType
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from flows.bench.rounds import timed
from storage.parity.together import together
from storage.ports import HashKind
from storage.postgres import PostgresReader

if TYPE_CHECKING:
    import pandas as pd


def main() -> None:
    """Read the URLs of both stores from the input, compare, print seconds and whether all rows match."""
    import datacompy  # noqa: F401 - loaded before the clock starts

    logging.disable(logging.CRITICAL)
    question = json.load(sys.stdin)
    seconds, equal = timed(lambda: _equal(question["primary"], question["secondary"]))
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "equal": equal}) + "\n")


def _equal(primary: str, secondary: str) -> bool:
    import datacompy

    ours, theirs = together(lambda: _frame(primary, StoreName.PRISMA), lambda: _frame(secondary, StoreName.SUPABASE))
    comparison = datacompy.PandasCompare(ours, theirs, join_columns=list(contract_for("planning").dataset.key))
    return bool(comparison.matches())


def _frame(dsn: str, store: StoreName) -> pd.DataFrame:
    """Return all rows as texts, times without the offset that only one side writes."""
    import pandas as pd
    import pyarrow as pa

    dataset = contract_for("planning").dataset
    with PostgresReader(dsn, store, dataset).snapshot(HashKind.RECORD) as snapshot:
        table = pa.Table.from_batches(snapshot.batches())
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    for column in dataset.columns:
        if column.type is ColumnType.TIMESTAMP_MS:
            frame[column.name] = frame[column.name].str.removesuffix("+00")
    return frame


if __name__ == "__main__":
    main()
