"""A process that measures the memory of a full check; see `flows.bench.children`.

Everything that a check loads is loaded first. What the process holds then is its idle baseline; what a check needs is
how far the process grows beyond it.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib import import_module
from pathlib import Path

from contracts.vocabulary import Channel
from flows.bench.rounds import timed
from flows.check import run_check, threads
from flows.quiet import quiet_libraries
from flows.settings import Settings, load_settings
from flows.wiring import find_stores

LOADED = (
    "great_expectations",
    "pandas",
    "pandera.pandas",
    "pyarrow.csv",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "expectations.engine",
    "expectations.registry",
    "expectations.runner",
    "reports.publish",
    "storage.local",
    "storage.migrations",
    "storage.postgres",
    "storage.state",
)
STATUS = Path("/proc/self/status")


def main() -> None:
    """Read the home of the pair from the input, check, print seconds, baseline and peak in MB."""
    home = Path(json.load(sys.stdin)["home"])
    quiet_libraries(home)
    for name in LOADED:
        import_module(name)
    none = dict.fromkeys(("database_url", "supabase_url", "supabase_db_url", "state_url"))
    own = {"home": home, "environment": "bench", "channel": Channel.SQL}
    settings = load_settings().model_copy(update={**none, **own})
    baseline = memory_mb("VmRSS")
    seconds, _ = timed(lambda: _check(settings))
    peak = memory_mb("VmHWM")
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "baseline_mb": baseline, "peak_mb": peak}) + "\n")


def memory_mb(name: str) -> float:
    """Return what Linux calls the resident set of this process now (VmRSS) or at most (VmHWM), in MB.

    Elsewhere it is the largest so far, which may take the memory of the parent process at its start for ours.
    """
    if STATUS.exists():
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _check(settings: Settings) -> None:
    with threads() as conductor:
        run_check(settings, find_stores(settings), conductor, datasets=("planning",), owner="twinstore bench")


if __name__ == "__main__":
    main()
