"""The nightly check under Prefect, on real stores: states, tasks, artifacts, and what must never be in its database."""

# ruff: noqa: PLC0415 - Prefect takes seconds to import: only where these tests run

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from contracts.vocabulary import StoreName, Verdict
from flows.opening import opened
from flows.settings import load_settings
from flows.wiring import open_memory
from storage.local.faults import fault, inject
from tests.support.prefect_api import FlowRunView, until
from tests.support.servers import Pair
from tests.support.two_stores import adopted_as_equal, keys, titled, titles

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]

FAULT = "title_stale_prisma"
HIDDEN = "A title that nobody but its owner may read"
STAGES = {
    "find stores",
    "look at prisma",
    "look at supabase",
    "prove capture",
    "compare rows",
    "contract on prisma",
    "contract on supabase",
    "expectations on prisma",
    "expectations on supabase",
    "conclude",
    "leave artifacts",
}


@pytest.fixture
def stores(seeded_pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Equal stores, to which the environment points."""
    for name, value in {
        "DATABASE_URL": seeded_pair.primary,
        "SUPABASE_DB_URL": seeded_pair.secondary,
        "TWINSTORE_HOME": str(tmp_path / "home"),
        "TWINSTORE_ENVIRONMENT": "Test, Küche",
        "TWINSTORE_GRACE_S": "0",
        "TWINSTORE_RECHECK_ROUNDS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return seeded_pair


def run(client: SyncPrefectClient, **parameters: Any) -> tuple[State[Any], FlowRunView]:
    """Run the flow; return its final state as the server has it, and a view of the run."""
    from flows.nightly_check import nightly_check

    local = nightly_check(**parameters, return_state=True)
    run_id = local.state_details.flow_run_id
    assert run_id is not None
    state = client.read_flow_run(run_id).state
    assert state is not None
    return state, FlowRunView(client, run_id)


def database() -> bytes:
    """Return all bytes of the server's database."""
    from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL

    path = Path(urlsplit(str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value())).path[1:])
    files = sorted(path.parent.glob(f"{path.name}*"))
    assert files
    return b"".join(file.read_bytes() for file in files)


def secrets_of(pair: Pair) -> set[str]:
    """Return the passwords of both URLs."""
    return {password for url in (pair.primary, pair.secondary) if (password := urlsplit(url).password)}


def test_equal_stores_complete_the_flow(client: SyncPrefectClient, stores: Pair) -> None:
    """A run that passed or warned is Completed, has eleven tasks that all completed, and leaves its four artifacts."""
    state, view = run(client)
    assert (state.type.value, state.name) == ("COMPLETED", "Completed")
    assert state.message is not None
    assert state.message.startswith("warned: `planning.freshness` fails")  # the seeded records are old
    assert view.tasks(len(STAGES)) == dict.fromkeys(STAGES, "Completed")
    artifacts = view.artifacts()
    summary, checks = artifacts["twinstore-test-k-che-summary"], artifacts["twinstore-test-k-che-checks"]
    assert "twinstore: warned" in summary
    assert [row["status"] for row in checks] == ["failed"] * 2 + ["skipped"] * (len(checks) - 2)
    assert artifacts["twinstore-test-k-che-clusters"] == []
    (page,) = Path(load_settings().home, "runs").glob("*/report.html")
    assert f"({page.as_uri()})" in artifacts["twinstore-test-k-che-report"]


def test_a_fault_fails_the_flow_and_is_named(client: SyncPrefectClient, stores: Pair) -> None:
    """A failed run is Failed; its artifacts name the failing rules and the causes, and no value of a personal field."""
    inject(stores.primary, stores.secondary, [fault(FAULT)])
    with psycopg.connect(stores.secondary_superuser) as connection:
        connection.execute(
            "UPDATE public.planning SET title = %s WHERE id = (SELECT max(id::text)::uuid FROM public.planning)",
            [HIDDEN],
        )
    state, view = run(client)
    assert (state.type.value, state.name) == ("FAILED", "Failed")
    assert state.message is not None
    assert state.message.startswith("failed: ")
    assert set(view.tasks(len(STAGES)).values()) == {"Completed"}
    artifacts = view.artifacts()
    clusters = artifacts["twinstore-test-k-che-clusters"]
    assert fault(FAULT).expects.causes <= {row["cause"] for row in clusters}
    assert [row["rows"] for row in clusters] == sorted((row["rows"] for row in clusters), reverse=True)
    failing = {
        (row["check"], row["store"]) for row in artifacts["twinstore-test-k-che-checks"] if row["status"] == "failed"
    }
    assert {(check, str(store)) for check, store in fault(FAULT).expects.checks} <= failing
    assert "the report is" in view.log("the report is")
    assert HIDDEN.encode() not in database()


def test_a_store_that_is_down_fails_the_flow_as_errored(
    client: SyncPrefectClient, stores: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that could not tell is Failed, its message says errored, and the task that met the store is Failed."""
    monkeypatch.setenv("DATABASE_URL", re.sub(r":\d+/", ":1/", stores.primary))
    state, view = run(client)
    assert (state.type.value, state.name) == ("FAILED", "Failed")
    assert state.message is not None
    assert state.message.startswith("errored: ")
    tasks = view.tasks(len(STAGES))
    assert tasks["look at prisma"] == "Failed"
    assert tasks["look at supabase"] == "Completed"
    assert {tasks[name] for name in ("compare rows", "contract on prisma", "expectations on prisma")} == {"Skipped"}
    assert "twinstore: errored" in view.artifacts()["twinstore-test-k-che-summary"]


def test_a_held_lease_fails_the_flow_and_says_who_holds_it(client: SyncPrefectClient, stores: Pair) -> None:
    """A second check beside one under way is Failed with the sentence that names the holder, and judges nothing."""
    settings = load_settings()
    now = datetime.now(UTC)
    with (
        open_memory(settings, "Test, Küche") as memory,
        memory.lease("planning", "repair", owner="a careful colleague", now=lambda: now),
    ):
        state, view = run(client)
    assert state.name == "Failed"
    assert state.message is not None
    assert state.message.startswith("errored: Check of planning cannot begin: repair by a careful colleague")
    assert view.artifacts() == {}


def test_an_unknown_dataset_is_refused(client: SyncPrefectClient, stores: Pair) -> None:
    """A parameter that names no dataset ends the run before a store is touched."""
    state, view = run(client, datasets=["plannings"])
    assert state.message == "errored: There is no dataset 'plannings'. Use one of: planning."
    assert view.artifacts() == {}


def test_the_report_is_as_open_as_the_parameters_say(client: SyncPrefectClient, stores: Pair) -> None:
    """`reveal` and `share` reach the report: here internal values are hidden."""
    from flows.nightly_check import check_as_flow

    assert check_as_flow(share=True).report.share
    assert not check_as_flow(reveal=True).report.masked


def test_the_flow_in_this_process_raises_what_a_plain_check_raises(client: SyncPrefectClient, stores: Pair) -> None:
    """`check_as_flow` hands on our own error, so that the command line says the same with and without Prefect."""
    from contracts.errors import ConfigurationError
    from flows.nightly_check import check_as_flow

    with pytest.raises(ConfigurationError, match="no dataset 'plannings'"):
        check_as_flow(["plannings"])
    assert check_as_flow().report.verdict is Verdict.WARNED


def test_what_a_stage_raises_stays_out_of_prefect(client: SyncPrefectClient) -> None:
    """An unexpected error is raised where the result is asked for; Prefect learns its kind and not its text."""
    from prefect import flow

    from flows.tasks import Tasks

    def burst() -> None:
        raise RuntimeError(HIDDEN)

    @flow(name="bursting")
    def bursting() -> str:
        try:
            Tasks().start("burst", burst).result()
        except RuntimeError as exc:
            return str(exc)
        return "nothing was raised"

    state: State[Any] = bursting(return_state=True)
    assert state.result() == HIDDEN
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    assert FlowRunView(client, run_id).tasks(1) == {"burst": "Failed"}
    written = database()
    assert b"unexpected RuntimeError" in written
    assert HIDDEN.encode() not in written


def test_no_secret_comes_into_prefect(client: SyncPrefectClient, stores: Pair) -> None:
    """After a run neither password of the URLs is in any parameter, state, log, event or artifact."""
    _, view = run(client)
    view.log("the report is")
    view.tasks(len(STAGES))
    written = database()
    assert len(secrets_of(stores)) == 2
    assert b"look at supabase" in written
    for secret in secrets_of(stores):
        assert secret.encode() not in written


def test_a_drain_as_a_flow_says_what_it_carried_over_and_what_it_left(
    stores: Pair, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Completed with numbers where all was carried over, Failed where nobody adopted the stores; no value is told."""
    from flows.sync_flow import sync

    unready = sync(return_state=True)
    assert unready.name == "Failed"
    assert unready.message == "planning: 0 keys carried over. Writes are not captured: run `twinstore adopt`."
    with opened(None) as work:
        adopted_as_equal(work)
    (key,) = keys(stores, 1)
    titled(stores, StoreName.PRISMA, key, HIDDEN)
    done = sync(return_state=True)
    assert (done.name, done.message) == ("Completed", "planning: 1 key carried over (applied 1).")
    assert titles(stores, StoreName.SUPABASE)[key] == HIDDEN


def test_alerts_come_as_events(client: SyncPrefectClient) -> None:
    """Prefect has an alert's beginning and end, with labels that an automation can match."""
    from contracts.health import Alert, AlertRule, Message, Phase
    from contracts.vocabulary import Severity
    from flows.prefect_events import PrefectEvents

    now = datetime.now(UTC)
    alert = Alert(
        rule=AlertRule.STORE_FAILED, subject="supabase", severity=Severity.WARNING, text="It failed.", since=now
    )
    for phase in Phase:
        message = Message(alert=alert, phase=phase, channel="prefect", raised_at=now)
        PrefectEvents(environment="production").send(message)

    def told() -> dict[str, Any] | None:
        filters = {"filter": {"event": {"prefix": ["twinstore.alert."]}}}
        found = client._client.post("/events/filter", json=filters).json()["events"]
        return {event["event"]: event for event in found} if len(found) == len(Phase) else None

    events = until(told, "two events")
    assert set(events) == {"twinstore.alert.firing", "twinstore.alert.resolved"}
    firing = events["twinstore.alert.firing"]
    assert firing["resource"]["prefect.resource.id"] == "twinstore.production.store_failed.supabase"
    assert firing["resource"]["twinstore.severity"] == "warning"
    assert firing["payload"]["message"] == "It failed."
