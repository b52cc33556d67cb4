"""Repair under Prefect, on real stores: somebody approves by the hash, or a policy allows it, or nothing is written."""

# ruff: noqa: PLC0415 - Prefect takes seconds to import: only where these tests run

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.vocabulary import Channel, StoreName
from tests.support.prefect_api import FlowRunView, until
from tests.support.repairing import environment_of, remember_run
from tests.support.servers import Pair
from tests.support.two_stores import keys, run, titled, titles

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]

PRISMA, SUPABASE = StoreName
WRONG = "A title that nobody but its owner may read"
WAIT_H = 0.02
POLICY = """
version = 1
modes = ["upsert-only"]
causes = ["missing_row"]
max_steps = 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A pair on which a title differs and a row is missing, and the run that saw it.

    Attributes:
        client: Of Prefect's server.
        pair: The stores.
        titled: Key of the row with another title.
        missing: Key of the row that the secondary lacks.
        run_id: The run.
    """

    client: SyncPrefectClient
    pair: Pair
    titled: str
    missing: str
    run_id: str

    def begin(self, pool: ThreadPoolExecutor, **parameters: Any) -> Future[State[Any]]:
        """Run the flow, which waits for somebody, beside the test."""
        from flows.repair_flow import repair

        return pool.submit(repair, run_id=self.run_id, wait_h=WAIT_H, return_state=True, **parameters)

    def paused(self) -> UUID:
        """Return the flow run that waits for somebody, once there is one."""
        from prefect.client.schemas.filters import FlowRunFilter

        waiting = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
        return until(lambda: next((one.id for one in self.client.read_flow_runs(flow_run_filter=waiting)), None), "it")

    def is_whole(self) -> bool:
        """Say whether both stores hold the same titles."""
        return titles(self.pair, PRISMA) == titles(self.pair, SUPABASE)


@pytest.fixture
def site(client: SyncPrefectClient, seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Stores that differ, to which the environment points."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        first, second = keys(seeded_pair, 2)
        titled(seeded_pair, SUPABASE, first, WRONG)
        run(seeded_pair, SUPABASE, "DELETE FROM public.planning WHERE id::text = %s", second)
        run_id = remember_run(home, {first: "differing", second: "only_primary"})
        yield Site(client=client, pair=seeded_pair, titled=first, missing=second, run_id=run_id)


def test_a_repair_waits_until_somebody_enters_its_hash(site: Site) -> None:
    """The run is paused, what is asked for holds the hash and no value; approved, the stores agree and it completes."""
    with ThreadPoolExecutor(1) as pool:
        ended = site.begin(pool)
        run_id = site.paused()
        (text,) = FlowRunView(site.client, run_id).artifacts().values()
        found = re.search(r"Hash: `([0-9a-f]{64})`", text)
        assert found is not None
        assert WRONG not in text
        assert titles(site.pair, SUPABASE)[site.titled] == WRONG
        answer = {"plan_hash": found[1][:12], "by": "ada", "allow": ""}
        site.client.resume_flow_run(run_id, run_input=answer)
        state = ended.result(120)
    assert (state.type.value, state.name) == ("COMPLETED", "Completed")
    assert "repaired: 2 written; the stores agree on 2 of its keys." in str(state.message)
    assert site.is_whole()


@pytest.mark.soak
def test_another_hash_declines_a_repair(site: Site) -> None:
    """Whoever enters the hash of another plan approves nothing: the run fails, and nothing is written."""
    with ThreadPoolExecutor(1) as pool:
        ended = site.begin(pool)
        site.client.resume_flow_run(site.paused(), run_input={"plan_hash": "0" * 64, "by": "eve", "allow": ""})
        state = ended.result(120)
    assert state.name == "Failed"
    assert "was not approved." in str(state.message)
    assert titles(site.pair, SUPABASE)[site.titled] == WRONG


@pytest.mark.soak
def test_a_repair_that_nobody_approves_in_time_fails(site: Site) -> None:
    """After the time to wait Prefect fails the run, and nothing is written."""
    from flows.repair_flow import repair

    state = repair(run_id=site.run_id, wait_h=0.002, return_state=True)
    assert state.name == "Failed"
    assert not site.is_whole()


@pytest.mark.soak
def test_the_nightly_check_can_end_in_a_repair_by_policy(site: Site, tmp_path: Path) -> None:
    """What the policy allows is repaired with nobody looking; the verdict stays that of the check."""
    from flows.nightly_check import nightly_check

    policy = tmp_path / "repair.toml"
    policy.write_text(POLICY)
    state = nightly_check(repair=True, policy=str(policy), return_state=True)
    assert state.name == "Failed"
    assert str(state.message).startswith("failed: ")
    assert "Repair of planning: Plan" in str(state.message)
    assert "1 written" in str(state.message)
    assert site.missing in titles(site.pair, SUPABASE)
    assert titles(site.pair, SUPABASE)[site.titled] == WRONG  # another cause, which is left
