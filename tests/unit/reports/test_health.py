"""How the stores did lately, in words, on the page, in the summary and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.health import Probe, StoreState, SyncFigures, summed_up
from contracts.replication import MANY
from contracts.vocabulary import Severity, StoreName
from reports.document import to_json
from reports.health import ALERTS_MAX, alert_lines, health_sentence, store_lines, sync_sentence
from reports.html import to_html
from reports.summary import to_summary
from reports.text import NONE
from tests.support.factories import MASK_KEY, STARTED, make_health, make_report

PRISMA, SUPABASE = StoreName
HEADING = "Health of the stores"


def facts(state: StoreState) -> dict[str, str]:
    """Return what the page says of one store."""
    (line,) = store_lines(make_health(stores=(state,)))
    return dict(line.facts)


def probes(number: int, failed: int = 0) -> list[Probe]:
    """Return probes a minute apart, those that failed first."""
    return [
        Probe(
            store=PRISMA,
            at=STARTED - timedelta(minutes=number - place),
            healthy=place >= failed,
            response_ms=place + 1,
            error=None if place >= failed else "Lost",
        )
        for place in range(number)
    ]


def test_a_healthy_and_a_failing_store() -> None:
    """Each with a word, a status that has a symbol, and what is known."""
    healthy, failing = store_lines(make_health())
    assert (healthy.status, healthy.word) == ("passed", "healthy")
    assert dict(healthy.facts) == {
        "Last probe": "answered in 12 ms, 2026-03-14 01:59:40 UTC",
        "Last 24 h": "1 probe, 0 % failed",
        "Response time": "12 ms on average, 95 of 100 within 12 ms",
        "Circuit breaker": "closed",
    }
    assert (failing.status, failing.word) == ("failed", "failing")
    assert dict(failing.facts) == {
        "Last probe": "supabase did not answer in time. (2026-03-14 01:59:40 UTC)",
        "Failing since": "2026-03-14 01:19:40 UTC, 2 probes",
        "Last 24 h": "2 probes, 100 % failed",
        "Circuit breaker": "half-open",
    }


@pytest.mark.parametrize(
    ("state", "status", "word"),
    [
        (StoreState(store=SUPABASE, configured=False), "skipped", "not configured"),
        (StoreState(store=SUPABASE), "incomplete", "unknown"),
    ],
)
def test_a_store_that_nobody_probed(state: StoreState, status: str, word: str) -> None:
    """What is not known is not called healthy."""
    (line,) = store_lines(make_health(stores=(state,)))
    assert (line.status, line.word) == (status, word)
    assert dict(line.facts) == {"Last probe": NONE, "Circuit breaker": "unknown"}


@pytest.mark.parametrize(
    ("number", "failed", "words"), [(2, 1, "50 %"), (1000, 1, "0.1 %"), (1440, 1, "< 0.1 %"), (3, 0, "0 %")]
)
def test_a_share_of_failures_is_never_rounded_to_nothing(number: int, failed: int, words: str) -> None:
    """One failure in a day is seen."""
    assert facts(summed_up(PRISMA, probes(number, failed)))["Last 24 h"].endswith(f", {words} failed")


def test_an_error_without_a_sentence_is_named() -> None:
    """The class is better than nothing."""
    assert facts(summed_up(PRISMA, probes(1, 1)))["Last probe"].startswith("Lost (")


def test_what_waits_between_the_stores() -> None:
    """Keys and ages per store, dead letters and conflicts, or that nobody knows."""
    (figures,) = make_health().sync
    assert sync_sentence(figures) == (
        "3 keys wait on prisma, the oldest for 2 min 05 s, supabase unknown, 1 dead letter, 0 conflicts "
        "(asked 2026-03-14 01:59:40 UTC)"
    )
    unknown = SyncFigures(dataset="planning", at=STARTED, dirty_primary=1, dirty_secondary=0)
    assert sync_sentence(unknown).startswith(
        "1 key waits on prisma, 0 keys wait on supabase, dead letters unknown, conflicts unknown"
    )
    many = replace(unknown, dirty_primary=MANY + 1)
    assert sync_sentence(many).startswith("more than 100,000 changes wait on prisma")


def test_the_page_has_a_section_where_somebody_watched() -> None:
    """With a link to it; without a watch there is neither."""
    page = to_html(make_report(health=make_health()), mask_key=MASK_KEY)
    assert HEADING in page
    assert 'href="#health"' in page
    assert "1 open alert" in page
    assert "supabase has failed for 40 min" in page
    assert "3 keys wait on prisma" in page
    without = to_html(make_report(), mask_key=MASK_KEY)
    assert HEADING not in without
    assert "#health" not in without


def test_a_quiet_pair_takes_little_room() -> None:
    """No alerts and nothing between the stores: neither card is there."""
    page = to_html(make_report(health=make_health(alerts=(), sync=())), mask_key=MASK_KEY)
    assert HEADING in page
    assert "open alert" not in page
    assert "Between the stores" not in page


def test_many_alerts_are_cut() -> None:
    """The page and the summary list some, and say how many more there are."""
    (alert,) = make_health().alerts
    health = make_health(alerts=tuple(replace(alert, subject=str(number)) for number in range(25)))
    assert len(alert_lines(health)) == ALERTS_MAX
    assert "5 more alerts" in to_html(make_report(health=health), mask_key=MASK_KEY)
    assert "10 more alerts" in to_summary(make_report(health=health))


def test_every_severity_has_a_symbol() -> None:
    """A severity is never a colour alone."""
    (alert,) = make_health().alerts
    lines = alert_lines(make_health(alerts=tuple(replace(alert, severity=severity) for severity in Severity)))
    assert [line.status for line in lines] == ["failed", "warned", "skipped"]


def test_the_summary_says_it_in_a_line() -> None:
    """And lists open alerts below; without a watch it says nothing."""
    summary = to_summary(make_report(health=make_health()))
    assert "Health: prisma healthy, supabase failing; 1 open alert" in summary
    assert "- **warning**: supabase has failed for 40 min" in summary
    assert "Health" not in to_summary(make_report())
    assert health_sentence(make_health(alerts=())).endswith("0 open alerts")


def document(**rest: Any) -> dict[str, Any]:
    """Return the parsed document of a report."""
    found: dict[str, Any] = json.loads(to_json(make_report(**rest), mask_key=MASK_KEY))
    return found


def test_the_document_has_all_of_it() -> None:
    """Figures as numbers, instants as text; null where nobody watched."""
    health = document(health=make_health())["health"]
    assert health["at"] == "2026-03-14T02:00:00Z"
    primary, secondary = health["stores"]
    assert (primary["last"]["response_ms"], primary["circuit"], primary["error_rate"]) == (12, "closed", 0.0)
    assert (secondary["failures"], secondary["failing_since"]) == (2, "2026-03-14T01:19:40Z")
    assert health["sync"][0]["dirty_secondary"] is None
    assert health["alerts"][0]["rule"] == "store_failed"
    assert document()["health"] is None
