"""What the following process and `sync status` say: lines of JSON, and words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import Unavailable
from contracts.health import HealthReport, Probe, StoreState
from contracts.replication import MANY, Gap, Standing, SyncStatus
from contracts.vocabulary import StoreName
from flows.commands.sync_news import teller
from flows.commands.sync_show import health_document, health_lines, waiting_text, worst
from flows.follow import News, Told
from flows.sync import Conclusion, Survey, todos

NOW = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)
NEWS = News(
    told=Told.UNAVAILABLE,
    dataset="planning",
    facts={"store": "supabase", "wait_s": 2.0},
    what="It is away.",
    todo="Wait.",
)


def side(store: StoreName, **rest: object) -> Standing:
    """Return a store whose writes are captured."""
    adopted = NOW if store is StoreName.PRISMA else None
    return replace(Standing(store=store, since=NOW, adopted_at=adopted, now=NOW), **rest)  # type: ignore[arg-type]


def survey(primary: Standing | None, secondary: Standing | None, *, conflicts: int = 0, dead: int = 0) -> Survey:
    """Return how far two stores have come."""
    status = SyncStatus(
        dataset="planning",
        primary=primary,
        secondary=secondary,
        conflicts=conflicts,
        dead_letters=dead,
        failing=0,
    )
    return Survey(status=status)


PRIMARY, SECONDARY = (side(store) for store in StoreName)
FINE = survey(PRIMARY, SECONDARY)
GAP = survey(replace(PRIMARY, gap=Gap.TRUNCATED), SECONDARY)
AWAY = replace(survey(PRIMARY, None), errors=(Unavailable("It is away.", "Wait.", store="supabase"),))
CASES = [
    (FINE, Conclusion.FINE, ""),
    (GAP, Conclusion.WAITS, "emptied by TRUNCATE on prisma"),
    (survey(PRIMARY, replace(SECONDARY, since=None)), Conclusion.WAITS, "Writes are not captured"),
    (survey(replace(PRIMARY, adopted_at=None), SECONDARY), Conclusion.WAITS, "The stores were not adopted"),
    (survey(PRIMARY, SECONDARY, conflicts=1), Conclusion.WAITS, "Decide conflicts"),
    (survey(PRIMARY, SECONDARY, dead=1), Conclusion.WAITS, "Look at dead letters"),
    (AWAY, Conclusion.UNKNOWN, ""),
]


@pytest.mark.parametrize(("found", "conclusion", "todo"), CASES, ids=range(len(CASES)))
def test_what_waits_for_a_person_is_said_with_what_to_do(found: Survey, conclusion: Conclusion, todo: str) -> None:
    """Each state has its conclusion and, where a person can do something, its sentence."""
    assert found.conclusion is conclusion
    assert todo in " ".join(todos(found.status))
    assert bool(todo) is any(todos(found.status))


@pytest.mark.parametrize(
    ("dirty", "text"),
    [
        (0, "nothing waits"),
        (1, "1 key waits, the oldest for 90 s"),
        (MANY, "100,000 keys wait, the oldest for 90 s"),
        (MANY + 1, "more than 100,000 changes wait, the oldest for 90 s"),
    ],
)
def test_what_nobody_counted_is_not_given_as_a_number(dirty: int, text: str) -> None:
    """So many keys wait, or more than that."""
    assert waiting_text(replace(PRIMARY, dirty=dirty, oldest_at=NOW - timedelta(seconds=90))) == text


def test_what_a_line_waits_for_is_said() -> None:
    """A transaction that nobody thinks of may be open in another database of the server."""
    text = waiting_text(replace(PRIMARY, dirty=2, held=True, oldest_at=NOW))
    assert text.startswith("2 keys wait, the oldest for 0 s; some until every transaction has ended")
    assert "pg_prepared_xacts" in text


def test_the_conclusion_that_weighs_most_is_the_exit_code() -> None:
    """0 fine, 1 something waits, 2 unknown; nothing at all is unknown."""
    assert [worst([FINE]), worst([FINE, GAP]), worst([GAP, AWAY, FINE]), worst([])] == [
        Conclusion.FINE,
        Conclusion.WAITS,
        Conclusion.UNKNOWN,
        Conclusion.UNKNOWN,
    ]
    assert [conclusion.exit_code for conclusion in Conclusion] == [0, 1, 2]


def test_news_are_one_line_of_json_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Off a terminal each line can be read by a machine, and names its time, event and dataset."""
    tell = teller(as_json=False)
    tell(NEWS)
    tell(News(told=Told.STOPPED))
    first, second = capsys.readouterr().err.splitlines()
    said = json.loads(first)
    assert datetime.fromisoformat(said.pop("at")).tzinfo is not None
    assert said == {
        "event": "unavailable",
        "dataset": "planning",
        "store": "supabase",
        "wait_s": 2.0,
        "what": "It is away.",
        "todo": "Wait.",
    }
    assert set(json.loads(second)) == {"at", "event"}


def test_on_a_terminal_news_are_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless JSON was asked for."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    teller(as_json=False)(NEWS)
    assert "planning unavailable store supabase, wait_s 2.0 It is away. Wait." in capsys.readouterr().err
    teller(as_json=True)(NEWS)
    assert capsys.readouterr().err.startswith("{")


def test_health_is_told_as_far_as_somebody_looked() -> None:
    """A store that nobody watches says so; a failing one since when, and how its circuit is."""
    failed = Probe(store=StoreName.SUPABASE, at=NOW - timedelta(seconds=9), healthy=False, response_ms=5000)
    report = HealthReport(
        at=NOW,
        window_h=24,
        stores=(
            StoreState(store=StoreName.PRISMA),
            StoreState(
                store=StoreName.SUPABASE,
                last=failed,
                failing_since=failed.at,
                failures=1,
                probes=4,
                error_rate=0.25,
                circuit="open",
            ),
        ),
    )
    primary, secondary = health_lines(report, NOW)
    assert "not watched" in primary
    assert "failed 9 s ago, failing since 2026-03-14 01:59:51 UTC, 25.0% of 4 probes failed, circuit open" in secondary
    assert [store["healthy"] for store in health_document(report)["stores"]] == [None, False]
    assert health_document(None) == {"stores": [], "alerts": []}
    assert list(health_lines(None, NOW)) == []
