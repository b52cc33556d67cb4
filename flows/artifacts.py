"""What a run leaves in Prefect: a summary, what did not pass, what differs and why, and where the report is.

No value of a record is among it, beyond what the summary shows. Keys hold the name of the environment, so that the
history of one key is the history of one pair of stores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from contracts.verdicts import RunReport
from contracts.vocabulary import CheckStatus
from flows.check import Finished

ROWS_MAX: Final = 200  # of a table; Prefect refuses large ones, and the report has them all
_ORDER: Final = (CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.WAIVED, CheckStatus.SKIPPED)

Row = dict[str, str | int]


def leave_artifacts(finished: Finished) -> None:
    """Leave all artifacts of a run; to be called inside a flow or task."""
    from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

    from reports import to_summary

    report, page = finished.report, finished.folder / "report.html"

    def key(kind: str) -> str:
        return artifact_key(report.environment, kind)

    checks, clusters = checks_table(report), clusters_table(report)
    create_markdown_artifact(to_summary(report), key=key("summary"), description=f"{report.verdict}: {report.reason}")
    create_table_artifact(
        checks[:ROWS_MAX], key=key("checks"), description=_told(checks, "Checks that did not pass, worst first")
    )
    create_table_artifact(
        clusters[:ROWS_MAX], key=key("clusters"), description=_told(clusters, "Differences by cause, most rows first")
    )
    create_link_artifact(
        page.as_uri(), link_text=f"Report of {report.run_id}", key=key("report"), description=f"The report: `{page}`"
    )


def artifact_key(environment: str, kind: str) -> str:
    """Return the key of an artifact: lower-case letters, digits and single dashes, as Prefect wants it."""
    slug = re.sub(r"[^a-z0-9]+", "-", environment.lower()).strip("-")
    return "-".join(part for part in ("twinstore", slug, kind) if part)


def checks_table(report: RunReport) -> list[Row]:
    """Return the checks that did not pass, worst first: one row per check and store."""
    found = [
        (dataset.name, check)
        for dataset in report.datasets
        for check in dataset.checks
        if check.status is not CheckStatus.PASSED
    ]
    return [
        {
            "dataset": name,
            "status": str(check.status),
            "check": check.id,
            "store": str(check.store),
            "severity": str(check.severity),
            "rows": check.failing_rows,
            "message": check.waiver or check.message,
        }
        for name, check in sorted(found, key=lambda pair: _ORDER.index(pair[1].status))
    ]


def clusters_table(report: RunReport) -> list[Row]:
    """Return the differences by cause, most rows first: one row per cluster."""
    found = [(dataset.name, cluster) for dataset in report.datasets for cluster in dataset.clusters]
    return [
        {
            "dataset": name,
            "rows": cluster.count,
            "what": cluster.sentence,
            "cause": str(cluster.cause),
            "kind": str(cluster.kind),
            "fields": ", ".join(cluster.fields),
            "new": "unknown" if cluster.new is None else cluster.new,
            "oldest": "unknown" if cluster.oldest is None else f"{cluster.oldest:%Y-%m-%d %H:%M} UTC",
        }
        for name, cluster in sorted(found, key=lambda pair: -pair[1].count)
    ]


def _told(rows: Sequence[Row], title: str) -> str:
    if len(rows) <= ROWS_MAX:
        return f"{title}: {len(rows) or 'none'}"
    return f"{title}: {ROWS_MAX} of {len(rows):,}; the report has them all"
