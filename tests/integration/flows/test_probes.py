"""Probes of real stores, well and in trouble: what they find, how long they take, and that they leave no trace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from contracts.health import Probe
from contracts.vocabulary import Channel, StoreName
from flows.probing import probe_stores
from flows.settings import Settings
from flows.wiring import find_stores
from storage.health import PROBE_S
from tests.support.faulty_proxy import Fault, Plan, faulty_proxy, nobody_accepts, nobody_listens
from tests.support.gateway import serve
from tests.support.servers import Pair
from tests.support.two_stores import settings_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PRISMA, SUPABASE = StoreName


def look(environment: dict[str, str]) -> tuple[Probe, ...]:
    """Probe the stores that an environment names."""
    settings = Settings.model_validate(environment)
    return probe_stores(settings, find_stores(settings, alone=True), NOW)


@pytest.mark.parametrize("channel", list(Channel))
def test_healthy_stores_answer(
    still_pair: Pair, channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over every channel, within their limit."""
    with serve(still_pair.secondary_gate) as rest:
        environment = settings_of(still_pair, tmp_path, None if channel is Channel.SQL else rest)
        primary, secondary = look(environment | {"TWINSTORE_CHANNEL": channel})
    assert (primary.store, secondary.store) == (PRISMA, SUPABASE)
    assert primary.healthy
    assert secondary.healthy
    assert max(primary.response_ms, secondary.response_ms) < PROBE_S * 1000


def test_probes_write_nothing(seeded_pair: Pair, tmp_path: Path) -> None:
    """Ten probes leave no row that was inserted, changed or deleted in any table of the database."""
    written = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int FROM pg_stat_user_tables"

    def count() -> int:
        with psycopg.connect(seeded_pair.primary_superuser, autocommit=True) as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
            row = connection.execute(written).fetchone()
        assert row is not None
        return int(row[0])

    before = count()
    for _ in range(10):
        look(settings_of(seeded_pair, tmp_path))
    assert count() == before


def test_a_store_that_nothing_leads_to_is_not_probed(still_pair: Pair, tmp_path: Path) -> None:
    """With the primary alone there is one probe."""
    environment = {"DATABASE_URL": still_pair.primary, "TWINSTORE_HOME": str(tmp_path)}
    assert [probe.store for probe in look(environment)] == [PRISMA]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.HTML, "Garbled"),
        (Fault.CUT_OFF, "Lost"),
        (Fault.CLOSED_AT_ONCE, "Lost"),
        (Fault.TOO_MANY, "Busy"),
        (Fault.BUSY, "Busy"),
        (Fault.BAD_GATEWAY, "Lost"),
        (Fault.TIMEOUT, "TooMuch"),
        (Fault.RESTRICTED, "Refused"),
        (Fault.PAUSED, "Unavailable"),
    ],
)
def test_a_project_in_trouble_is_unhealthy(still_pair: Pair, tmp_path: Path, fault: Fault, error: str) -> None:
    """Asked once, and named by the class of its error."""
    plan = Plan(fault=fault)
    with serve(still_pair.secondary_gate) as rest, faulty_proxy(rest.url, plan) as url:
        primary, secondary = look(settings_of(still_pair, tmp_path, rest) | {"SUPABASE_URL": url})
    assert primary.healthy
    assert (secondary.healthy, secondary.error) == (False, error)
    assert plan.requests == 1
    assert secondary.what


def test_stores_that_refuse_connections(still_pair: Pair, tmp_path: Path) -> None:
    """By SQL and over REST; no password and no key is in what is told."""
    with serve(still_pair.secondary_gate) as rest, nobody_listens() as url:
        port = urlsplit(url).port
        primary_url = f"postgresql://app:hunter2@127.0.0.1:{port}/app"
        environment = settings_of(still_pair, tmp_path, rest) | {"DATABASE_URL": primary_url, "SUPABASE_URL": url}
        seen = look(environment)
    assert [(probe.healthy, probe.error) for probe in seen] == [(False, "Unavailable"), (False, "Lost")]
    assert not any("hunter2" in repr(probe) or rest.secret_key in repr(probe) for probe in seen)


def test_stores_that_never_answer_are_given_up(still_pair: Pair, tmp_path: Path) -> None:
    """A port that accepts nothing costs the connection's limit, not the watch."""
    with serve(still_pair.secondary_gate) as rest, nobody_accepts() as url:
        port = urlsplit(url).port
        primary_url = f"postgresql://app:hunter2@127.0.0.1:{port}/app"
        environment = settings_of(still_pair, tmp_path, rest) | {"DATABASE_URL": primary_url, "SUPABASE_URL": url}
        seen = look(environment | {"TWINSTORE_CONNECT_TIMEOUT_S": "1"})
    assert [probe.healthy for probe in seen] == [False, False]
    assert max(probe.response_ms for probe in seen) < 5000


def test_a_wrong_password_makes_a_store_unhealthy(still_pair: Pair, tmp_path: Path) -> None:
    """It is there and of no use to us; the class says so."""
    parts = urlsplit(still_pair.primary)
    wrong = still_pair.primary.replace(f":{parts.password}@", ":wrong@")
    primary, _ = look(settings_of(still_pair, tmp_path) | {"DATABASE_URL": wrong})
    assert (primary.healthy, primary.error) == (False, "Refused")
