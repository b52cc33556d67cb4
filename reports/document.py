"""report.json: a run for other tools. Its schema is docs/report.schema.json; a change of meaning raises the version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.verdicts import (
    CheckResult,
    Cluster,
    Cost,
    DatasetReport,
    Difference,
    FieldDifference,
    History,
    Reason,
    RowTotals,
    RunReport,
    SelfProof,
    SideCounts,
    StoreFacts,
)
from contracts.vocabulary import StoreName
from reports.checks import tally
from reports.health import health_document
from reports.masking import first_difference, sides
from reports.replication import replication_document

SCHEMA_VERSION: Final = "1.0"
_EXACT: Final = 2**53 - 1  # a larger integer loses digits in tools that read numbers as doubles
_UNSAFE: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
DIFFERENCES_MAX: Final = 10_000  # differences that the document lists; differences.csv lists all


def to_json(report: RunReport, *, mask_key: bytes) -> str:
    """Render a run as JSON, one member of the document per line, so that its head can be read alone.

    Only ASCII is written, and neither `<`, `>` nor `&`: the text is inert in a terminal and inside a page. Values
    that a reader of the report may not see are masked as on the page.
    """
    lines = (f"{_dumps(name)}: {_dumps(value)}" for name, value in _run(report, mask_key).items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(", ", ": ")).translate(_UNSAFE)


def _run(report: RunReport, mask_key: bytes) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": report.run_id,
        "environment": report.environment,
        "started_at": _time(report.started_at),
        "finished_at": _time(report.finished_at),
        "verdict": report.verdict,
        "reason": report.reason,
        "differences_total": _int(sum(d.differences_total for d in report.datasets)),
        "twinstore_version": report.version,
        "masked": {"personal": report.masked or report.share, "internal": report.share},
        "reasons": _reasons(report.reasons),
        "notes": list(report.notes),
        "cost": _cost(report.cost),
        "health": None if report.health is None else health_document(report.health),
        "datasets": [_dataset(dataset, report, mask_key) for dataset in report.datasets],
    }


def _dataset(dataset: DatasetReport, report: RunReport, mask_key: bytes) -> dict[str, Any]:
    facts = {s.store: s for s in dataset.stores}
    channels = {store: facts[store].channel if store in facts else None for store in StoreName}
    return {
        "name": dataset.name,
        "verdict": dataset.verdict,
        "reasons": _reasons(dataset.reasons),
        "notes": list(dataset.notes),
        "channel": {"primary": channels[StoreName.PRISMA], "secondary": channels[StoreName.SUPABASE]},
        "stores": [_store(s) for s in dataset.stores],
        "rows": _rows(dataset.rows),
        "ranges": [
            {"low": r.low, "high": r.high, "primary": _counts(r.primary), "secondary": _counts(r.secondary)}
            for r in dataset.ranges
        ],
        "differences": [_difference(d, report, mask_key) for d in dataset.differences[:DIFFERENCES_MAX]],
        "differences_total": _int(dataset.differences_total),
        "clusters": [_cluster(c) for c in dataset.clusters],
        "checks": [_check(c) for c in dataset.checks],
        "checks_by_status": dict(tally(dataset.checks).parts),
        "history": _history(dataset.history),
        "proof": dataset.proof and _proof(dataset.proof),
        "replication": dataset.replication and replication_document(dataset.replication),
    }


def _difference(difference: Difference, report: RunReport, mask_key: bytes) -> dict[str, Any]:
    return {
        "key": difference.key,
        "kind": difference.kind,
        "fields": [_field(f, report, mask_key) for f in difference.fields],
        "cause": difference.cause,
        "causes": sorted({str(e.cause) for e in difference.explanations}),
        "explanations": [
            {"cause": e.cause, "fields": list(e.fields), "store": e.store, "detail": e.detail}
            for e in difference.explanations
        ],
        "first_seen": _time(difference.first_seen),
        "runs_seen": difference.runs_seen,
        "returned": difference.returned,
        "flapping": difference.flapping,
        "place": difference.place,
        "waiting_s": difference.waiting_s,
    }


def _field(difference: FieldDifference, report: RunReport, mask_key: bytes) -> dict[str, Any]:
    primary, secondary = sides(difference, report, mask_key)
    return {
        "field": difference.field,
        "primary": primary.value,
        "secondary": secondary.value,
        "primary_state": primary.state,
        "secondary_state": secondary.state,
        "classification": difference.classification,
        "cause": difference.cause,
        "first_difference": first_difference(difference),
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "cause": cluster.cause,
        "kind": cluster.kind,
        "fields": list(cluster.fields),
        "store": cluster.store,
        "sentence": cluster.sentence,
        "count": _int(cluster.count),
        "sample_keys": list(cluster.sample_keys),
        "new": _int(cluster.new),
        "oldest": _time(cluster.oldest),
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "source": check.source,
        "store": check.store,
        "severity": check.severity,
        "status": check.status,
        "failing_rows": _int(check.failing_rows),
        "checked_rows": _int(check.checked_rows),
        "sample_keys": list(check.sample_keys),
        "message": check.message,
        "observed": check.observed,
        "inherited": check.inherited,
        "waiver": check.waiver,
        "seconds": check.seconds,
    }


def _store(facts: StoreFacts) -> dict[str, Any]:
    return {
        "store": facts.store,
        "channel": facts.channel,
        "reachable": facts.reachable,
        "server_version": facts.server_version,
        "table": facts.table,
        "estimated_rows": _int(facts.estimated_rows),
        "identity": facts.identity,
        "sees_all_rows": facts.sees_all_rows,
        "note": facts.note,
    }


def _history(history: History) -> dict[str, Any]:
    return {
        "previous_run_id": history.previous_run_id,
        "new": _int(history.new),
        "gone": _int(history.gone),
        "persisting": _int(history.persisting),
        "returned": _int(history.returned),
        "checks_new": list(history.checks_new),
        "checks_gone": list(history.checks_gone),
        "trend": [
            {
                "run_id": p.run_id,
                "started_at": _time(p.started_at),
                "verdict": p.verdict,
                "differences": _int(p.differences),
                "rows_primary": _int(p.rows_primary),
                "rows_secondary": _int(p.rows_secondary),
            }
            for p in history.trend
        ],
    }


def _proof(proof: SelfProof) -> dict[str, Any]:
    return {
        "sent_through": list(proof.sent_through),
        "values": _int(proof.values),
        "planted": _int(proof.planted),
        "untried": list(proof.untried),
        "audited": _int(proof.audited),
        "moved": _int(proof.moved),
        "total": _int(proof.total),
        "since": _time(proof.since),
        "bound": proof.bound,
    }


def _rows(rows: RowTotals) -> dict[str, Any]:
    return {name: _int(getattr(rows, name)) for name in RowTotals.__slots__}


def _counts(counts: SideCounts) -> dict[str, Any]:
    numbers = {n: _int(getattr(counts, n)) for n in ("read", "matched", "differing", "only", "deferred", "pending")}
    return numbers | {"excluded": _ints(counts.excluded), "balance": _int(counts.balance)}


def _cost(cost: Cost) -> dict[str, Any]:
    numbers = {
        n: _int(getattr(cost, n))
        for n in ("statements", "requests", "rows_transferred", "bytes_transferred", "estimated_rows")
    }
    return {"seconds": cost.seconds, "estimated_seconds": cost.estimated_seconds} | numbers


def _reasons(reasons: tuple[Reason, ...]) -> list[dict[str, str]]:
    return [{"verdict": r.verdict, "text": r.text} for r in reasons]


def _ints(numbers: Mapping[Any, int]) -> dict[str, int | str | None]:
    return {str(name): _int(n) for name, n in numbers.items()}


def _int(number: int | None) -> int | str | None:
    return number if number is None or abs(number) <= _EXACT else str(number)


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
