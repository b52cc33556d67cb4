"""summary.md: a run in a screen of Markdown, for the summary of a CI job or a chat message."""

from __future__ import annotations

import re
from typing import Final

from contracts.health import Alert
from contracts.verdicts import CheckResult, DatasetReport, RunReport
from contracts.vocabulary import CheckStatus
from reports.checks import outcome, tally
from reports.health import health_sentence
from reports.proof import audit_sentence
from reports.repair.offer import plan_offer
from reports.replication import replication_sentence, replication_view
from reports.text import NAME, duration, moment, more, number, one_line, percent
from reports.words import CAUSES, SEVERITY_RANK, STATUS_RANK, SYMBOLS

LINES_MAX: Final = 15
_TEXT_MAX: Final = 300
_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]|~<>&@$!]|:(?=//)|(?<=www)\.|^[-+#=]|^\d+(?=[.)])", re.IGNORECASE)


def to_summary(report: RunReport) -> str:
    """Render a run as Markdown: the verdict, the reasons, the clusters and the checks that did not pass, all capped."""
    took = duration((report.finished_at - report.started_at).total_seconds())
    where = (plain(report.environment), f"run {plain(report.run_id)}", plain(moment(report.started_at)), took)
    parts = [
        f"## {SYMBOLS[report.verdict]} twinstore: {report.verdict}",
        sentence(report.reason),
        " · ".join(where),
    ]
    if len(report.reasons) > 1:
        parts.append(_capped([f"- **{r.verdict}**: {sentence(r.text)}" for r in report.reasons], "reason"))
    for dataset in report.datasets:
        parts += _dataset(dataset)
        if offer := plan_offer(report, dataset):
            parts.append(f"Plan a repair: {plain(offer)}")
    if report.health is not None:
        parts.append(f"Health: {plain(health_sentence(report.health))}")
    if report.health is not None and report.health.alerts:
        parts.append(_capped([_alert(alert) for alert in report.health.alerts], "alert"))
    notes = ["Personal values are masked."] if report.masked or report.share else ["This report shows personal values."]
    parts.append(" ".join([*notes, *(sentence(note) for note in report.notes[:LINES_MAX])]))
    return "\n\n".join(parts) + "\n"


def _dataset(dataset: DatasetReport) -> list[str]:
    rows, history = dataset.rows, dataset.history
    compared = rows.matched + rows.differing + rows.only_primary + rows.only_secondary
    lines = [
        f"| {plain(dataset.name)} | |",
        "|---|---|",
        f"| verdict | {SYMBOLS[dataset.verdict]} {dataset.verdict} |",
        f"| rows that agree | {percent(rows.matched, compared)}, {number(rows.matched)} of {number(compared)} |",
        f"| differences | {_differences(dataset)} |",
        f"| since the last run | {_since(history.new, history.gone, history.returned)} |",
        f"| moved, excluded | {number(rows.deferred)}, {number(rows.excluded)} |",
        f"| checks | {', '.join(f'{number(n)} {s}' for s, n in tally(dataset.checks).parts) or 'none evaluated'} |",
    ]
    if rows.pending:
        lines.append(f"| under way | {number(rows.pending)} |")
    if dataset.replication is not None:
        lines.append(f"| replication | {sentence(replication_sentence(dataset.replication))} |")
    if dataset.proof is not None:
        lines.append(f"| audit | {plain(audit_sentence(dataset.proof))} |")
    parts = ["\n".join(lines), *(sentence(note) for note in dataset.notes[:LINES_MAX])]
    if dataset.replication is not None and (todo := replication_view(dataset.replication).todo):
        parts.append("\n".join(f"- {sentence(line)}" for line in todo))
    if dataset.clusters:
        head = ["| rows | what | cause | new |", "|---:|---|---|---:|"]
        body = [
            f"| {number(c.count)} | {sentence(c.sentence)} | {plain(CAUSES[c.cause])} "
            f"| {'unknown' if c.new is None else number(c.new)} |"
            for c in dataset.clusters
        ]
        parts.append("\n".join(head) + "\n" + _capped(body, "cluster"))
    checks = [c for c in dataset.checks if c.status is not CheckStatus.PASSED]
    if checks:
        head = ["| status | check | store | severity | outcome |", "|---|---|---|---|---|"]
        parts.append("\n".join(head) + "\n" + _capped([_check(c) for c in sorted(checks, key=_order)], "check"))
    return parts


def _differences(dataset: DatasetReport) -> str:
    rows = dataset.rows
    sides = f"{number(rows.only_primary)} only on prisma, {number(rows.only_secondary)} only on supabase"
    return f"{number(dataset.differences_total)}: {number(rows.differing)} not equal, {sides}"


def _since(new: int | None, gone: int | None, returned: int | None) -> str:
    if new is None:
        return "history is unknown"
    parts = ((new, "new"), (returned, "of them came back"), (gone, "gone"))
    return ", ".join(f"{'unknown' if n is None else number(n)} {words}" for n, words in parts)


def _check(check: CheckResult) -> str:
    status = f"{SYMBOLS[check.status]} {check.status}"
    return f"| {status} | {plain(check.id)} | {check.store} | {check.severity} | {plain(outcome(check))} |"


def _alert(alert: Alert) -> str:
    return f"- **{alert.severity}**: {sentence(alert.text)}"


def _order(check: CheckResult) -> tuple[int, int, str, str]:
    return STATUS_RANK[check.status], SEVERITY_RANK[check.severity], check.id, check.store


def _capped(lines: list[str], noun: str) -> str:
    shown = lines[:LINES_MAX]
    rest = len(lines) - len(shown)
    return "\n".join(shown) + (f"\n\n… and {more(rest, noun)}, see report.html" if rest else "")


def sentence(text: str) -> str:
    """Return a sentence for Markdown, inert except that plain names in backticks stay code."""
    parts = NAME.split(one_line(text, _TEXT_MAX))
    return "".join(f"`{part}`" if i % 2 else plain(part) for i, part in enumerate(parts))


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: no table cell, link, mention, HTML or code comes out of it."""
    return _MARKDOWN.sub(_inert, one_line(text, _TEXT_MAX))


def _inert(match: re.Match[str]) -> str:
    """Write what could begin a style with a backslash, and all else, HTML, links and mentions, as entities."""
    text = match[0]
    return f"\\{text}" if text in set("*_{}~!-+#=") else "".join(f"&#{ord(char)};" for char in text)
