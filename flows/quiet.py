"""Keep libraries from phoning home and from writing outside our folder. To be called before they are imported."""

from __future__ import annotations

import os
from pathlib import Path

OFF = {
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLIENT_METRICS_ENABLED": "false",
}


def quiet_libraries(home: Path) -> None:
    """Switch every library's telemetry off, and give Prefect a folder below ours unless the user chose one."""
    os.environ.update(OFF)
    os.environ.setdefault("PREFECT_HOME", str(home / "prefect"))
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
