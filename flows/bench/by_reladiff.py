"""A process that compares both stores by reladiff; see `flows.bench.children`.

Its best settings on these tables: few large segments, since each segment is a range of random keys and reads pages all
over the table, and a segment that differs is downloaded at once. It is spared two columns, since it refuses to compare
a text that may be NULL with a UUID.
"""

from __future__ import annotations

import json
import logging
import sys

from contracts.registry import contract_for
from flows.bench.rounds import timed

REFUSED = ("user_id", "project_id")
SEGMENTS = 4
ROWS_AT_ONCE = 250_000  # segments with fewer rows are downloaded
CONNECTIONS = 2


def main() -> None:
    """Read the URLs of both stores from the input, compare, print seconds and number of differing keys."""
    logging.disable(logging.CRITICAL)
    question = json.load(sys.stdin)
    seconds, found = timed(lambda: _differing(question["primary"], question["secondary"]))
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "found": found}) + "\n")


def _differing(primary: str, secondary: str) -> int:
    import reladiff

    dataset = contract_for("planning").dataset
    columns = tuple(c.name for c in dataset.compared if c.name not in (*dataset.key, *REFUSED))
    sides = [
        reladiff.connect_to_table(dsn, dataset.name, dataset.key, thread_count=CONNECTIONS)
        for dsn in (primary, secondary)
    ]
    differ = reladiff.diff_tables(
        *sides,
        extra_columns=columns,
        algorithm=reladiff.Algorithm.HASHDIFF,
        bisection_factor=SEGMENTS,
        bisection_threshold=ROWS_AT_ONCE,
        max_threadpool_size=2 * CONNECTIONS,
        skip_sort_results=True,
    )
    with differ as rows:
        return len({row[0] for _, row in rows})


if __name__ == "__main__":
    main()
