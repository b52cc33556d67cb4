"""What applications of the origin rely on, one test per numbered behaviour, on real servers.

`docs/behaviours.md` has the sentences, and says of those that are not here where they are, or why not. Numbers 16 to 22
are in `test_behaviours_of_consistency.py`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

import twinstore
from contracts.errors import ConfigurationError, Invalid
from contracts.planning import ContentType, Status
from contracts.planning_input import check_content, check_result
from contracts.responses import response_to
from contracts.results import DegradationMode, Outcome
from contracts.vocabulary import StoreName
from storage.breaker import Breaker, Guard, Rules, State
from tests.support.accounts import url_of
from tests.support.dual import NOW, PRISMA, SUPABASE, WHO, Twins, new_id, scenario
from tests.support.gateway import serve
from tests.support.planning_rows import KEY, OWNER, content
from tests.support.replicating import replicating
from tests.support.servers import Pair

# Contract


@pytest.mark.parametrize("kind", ["poem", "", None, 7])
def test_behaviour_01_an_id_and_a_known_type_are_needed(by_sql: Twins, kind: object) -> None:
    """Anything else is refused before a store is asked."""
    for broken in ({"type": kind}, {"id": kind}, {"id": ...}, {"type": ...}):
        body = {name: value for name, value in {**scenario(), **broken}.items() if value is not ...}
        with pytest.raises(Invalid):
            by_sql.repository.save(body)
    assert by_sql.rows(PRISMA) == by_sql.rows(SUPABASE) == []


def test_behaviour_02_a_valid_scenario_validates() -> None:
    """Success, the data, and no error."""
    checked = check_content(content())
    assert (checked.success, checked.data, checked.error) == (True, content(), None)


def test_behaviour_03_broken_content_is_a_failure_and_no_exception() -> None:
    """With an error that names everything, and no data."""
    checked = check_content({"type": "poem", "title": "", "metadata": {"createdAt": -1}})
    assert (checked.success, checked.data, bool(checked.error)) == (False, None, True)


def test_behaviour_04_a_full_result_validates() -> None:
    """Of a partial write without a key for the secondary, with whole numbers for times."""
    store = {"attempted": True, "success": True, "timing": 12}
    result = {
        "id": KEY,
        "success": True,
        "details": {"prisma": store, "supabase": {**store, "success": False, "error": "No key."}},
        "consistency": "partial",
        "degradationMode": "supabase-disabled",
        "timestamp": 1_758_157_323_123,
        "totalTime": 15,
    }
    assert check_result(result).success
    assert not check_result({**result, "totalTime": 1.5}).success


def test_behaviour_05_nothing_is_created_after_it_was_updated(twins: Twins) -> None:
    """Neither by what a caller says, nor by a clock that was set back."""
    with pytest.raises(Invalid, match="not be later"):
        twins.repository.save(scenario(metadata={"createdAt": 2, "updatedAt": 1}))
    body = scenario(metadata={"createdAt": twins.clock.ms + 3_600_000})
    twins.repository.save(body)
    twins.clock.advance(-60_000)
    twins.repository.update(body["id"], {"tone": "Calm"})
    for store in StoreName:
        ((ordered,),) = twins.rows(store, "created_at <= updated_at")
        assert ordered
    record = twins.repository.get(body["id"])
    assert record is not None
    assert record.metadata["createdAt"] <= record.metadata["updatedAt"]


def test_behaviour_06_an_owner_is_null_or_an_id(twins: Twins) -> None:
    """None stays None, a UUID stays itself, anything else is refused."""
    for owner in (None, OWNER):
        body = scenario()
        assert twins.repository.save(body, user_id=owner).success
        record = twins.repository.get(body["id"])
        assert record is not None
        assert (record.user_id, record.metadata["userId"]) == (owner, owner)
    for nobody in (7, "", "user-1"):
        with pytest.raises(Invalid):
            twins.repository.save(scenario(), user_id=nobody)  # type: ignore[arg-type]  # that is what is tested


# Repository


def test_behaviour_07_a_save_echoes_the_id(twins: Twins) -> None:
    """With a flag, and an error where there is one."""
    body = scenario()
    result = twins.repository.save(body)
    assert (result.id, result.success, result.error) == (body["id"], True, None)
    with twins.away(SUPABASE):
        assert isinstance(twins.repository.save(scenario()).error, str)


@pytest.mark.parametrize("kind", ContentType)
def test_behaviour_08_what_was_saved_is_found_unchanged(twins: Twins, kind: ContentType) -> None:
    """Id, type, owner, status, project and author, in both stores and whichever answers."""
    body = content(kind, id=new_id(), metadata=WHO)
    twins.repository.save(body)
    found = [twins.repository.get(body["id"])]
    with twins.away(PRISMA):
        found.append(twins.repository.get(body["id"]))
    for record, store in zip(found, (PRISMA, SUPABASE), strict=True):
        assert record is not None
        assert (record.id, record.type, record.store) == (body["id"], kind, store)
        assert (record.user_id, record.status, record.project_id, record.author) == (OWNER, "active", KEY, "Kim")
        said = {name: value for name, value in record.content.items() if name != "metadata"}
        assert said == {name: value for name, value in body.items() if name != "metadata"}
        assert WHO.items() <= record.content["metadata"].items()


def test_behaviour_09_an_unknown_id_is_none_and_no_failure(twins: Twins) -> None:
    """However often it is asked for."""
    guards = {store: Guard(store, Breaker()) for store in StoreName}
    repository = twins.open(guards=guards)
    assert [repository.get(new_id()) for _ in range(5)] == [None] * 5
    assert [guard.state for guard in guards.values()] == [State.CLOSED, State.CLOSED]


def test_behaviour_10_a_list_holds_items_of_valid_types(twins: Twins) -> None:
    """Also when it is empty."""
    assert twins.repository.list(user_id=OWNER).records == ()
    for kind in ContentType:
        twins.repository.save(content(kind, id=new_id(), metadata=WHO))
    page = twins.repository.list(user_id=OWNER)
    assert {record.type for record in page.records} == set(ContentType)


@pytest.mark.parametrize("key", [None, "PLEASE_SET_IN_ENV_LOCAL"])
def test_behaviour_11_without_a_service_key_a_save_succeeds_on_the_primary(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str | None
) -> None:
    """Nothing crashes, the result says why, and the key is all that it takes to bring the secondary up."""
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", pair.primary)
    with serve(pair.secondary_gate) as rest, replicating(pair) as replication:
        monkeypatch.setenv("SUPABASE_URL", rest.url)
        monkeypatch.setenv("SUPABASE_ANON_KEY", rest.anon_key)
        if key is not None:
            monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", key)
        body = scenario()
        with twinstore.open_repository() as planning:
            result = planning.save(body)
        assert (result.success, result.degradation_mode) == (True, DegradationMode.SUPABASE_DISABLED)
        _, _, relay = replication.both()
        relay.drain()
        assert replication.secondary is not None
        assert replication.secondary.look([body["id"]])[body["id"]].row is not None


def test_behaviour_12_the_other_store_serves(twins: Twins) -> None:
    """The secondary fails: the primary, visibly; the primary fails: the secondary; both: a failure that says so."""
    with twins.away(SUPABASE):
        without_secondary = twins.repository.save(scenario())
    with twins.away(PRISMA):
        without_primary = twins.repository.save(scenario())
        with twins.away(SUPABASE):
            without_both = twins.repository.save(scenario())
    flags = [
        (r.success, r.prisma_success, r.supabase_success, r.degraded) for r in (without_secondary, without_primary)
    ]
    assert flags == [(True, True, False, True), (True, False, True, True)]
    assert (without_both.success, "failed" in str(without_both.error)) == (False, True)


def test_behaviour_13_three_failures_make_a_store_unhealthy(twins: Twins) -> None:
    """Health names failures in a row, the last one, and a flag, per store."""
    with twins.away(SUPABASE):
        before = [twins.repository.health().supabase for _ in range(3)]
    assert [(health.failures, health.is_healthy) for health in before] == [(1, False), (2, False), (3, False)]
    assert before[2].last_failure == pytest.approx(twins.clock.ms, abs=60_000)
    health = twins.repository.health()
    assert (health.supabase.failures, health.supabase.is_healthy, health.prisma.is_healthy) == (0, True, True)


def test_behaviour_14_health_never_raises(twins: Twins) -> None:
    """Whatever the stores do; and it writes nothing."""
    with twins.away(PRISMA), twins.away(SUPABASE):
        health = twins.repository.health()
    assert (health.healthy, health.prisma.is_healthy, health.supabase.is_healthy) == (False, False, False)
    assert health.prisma.error
    assert twins.repository.health().healthy
    assert twins.rows(PRISMA) == twins.rows(SUPABASE) == []


def test_behaviour_15_content_without_an_id_is_refused(by_sql: Twins) -> None:
    """Nothing is written."""
    with pytest.raises(Invalid) as caught:
        by_sql.repository.save(content(id=...))
    assert [path for path, _ in caught.value.violations] == ["id"]
    assert by_sql.rows(PRISMA) == []


# Responses


def test_behaviour_23_to_26_the_envelope_tells_what_the_write_did(twins: Twins) -> None:
    """Both stores: nothing to warn of; one: degraded, and it is named; none: both errors and the caller's words."""
    both = response_to(twins.repository.save(scenario()), now_ms=1, data={"id": KEY}).to_json()
    assert (both["success"], both["degraded"], both["warnings"], both["data"]) == (True, False, [], {"id": KEY})
    assert both["storageStatus"] == {"prisma": "healthy", "supabase": "healthy"}
    assert (both["timestamp"], both["version"]) == (1, "1.0")
    with twins.away(SUPABASE):
        one = response_to(twins.repository.save(scenario()), now_ms=1, data={}).to_json()
        with twins.away(PRISMA):
            result = twins.repository.save(scenario())
    assert (one["success"], one["degraded"], one["storageStatus"]["supabase"]) == (True, True, "failed")
    assert one["warnings"][0].startswith("supabase: ")
    none = response_to(result, now_ms=1, data={}, message="The story was not saved.").to_json()
    assert (none["success"], "data" in none, none["warnings"][-1]) == (False, False, "The story was not saved.")
    assert none["storageStatus"] == {"prisma": "failed", "supabase": "failed"}
    assert {"prisma", "supabase"} <= {warning.partition(":")[0] for warning in none["warnings"]}


# Several at once, lists, degradation


def test_behaviour_38_writes_at_the_same_time_all_happen(twins: Twins) -> None:
    """Of different records, and of one record: each builds on the one before."""
    bodies = [scenario() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        saved = list(pool.map(twins.repository.save, bodies))
        patches = [{name: "x"} for name in ("genre", "tone", "target", "tempo")]
        patched = list(pool.map(lambda patch: twins.repository.update(bodies[0]["id"], patch), patches))
    assert [result.outcome for result in saved] == [Outcome.CREATED] * 4
    assert [result.outcome for result in patched] == [Outcome.UPDATED] * 4
    record = twins.repository.get(bodies[0]["id"])
    assert record is not None
    assert record.version == 5
    assert {"genre", "tone", "target", "tempo"} <= record.content.keys()
    twins.drain()
    assert twins.rows(PRISMA, "id::text, version") == twins.rows(SUPABASE, "id::text, version")


def test_behaviour_40_what_was_created_is_listed(twins: Twins) -> None:
    """At once, first, and to its owner."""
    twins.repository.save(scenario(), user_id=OWNER)
    twins.clock.advance(1)
    body = scenario()
    twins.repository.save(body, user_id=OWNER)
    assert twins.repository.list(user_id=OWNER).records[0].id == body["id"]
    assert twins.repository.list(user_id="guest").records == ()


def test_behaviour_41_a_limit_is_kept(twins: Twins) -> None:
    """From 1 to 100."""
    for _ in range(3):
        twins.repository.save(scenario())
    for limit in (1, 2, 100):
        assert len(twins.repository.list(limit=limit).records) == min(limit, 3)
    for limit in (0, 101):
        with pytest.raises(Invalid):
            twins.repository.list(limit=limit)


def test_behaviour_43_an_absent_key_degrades_one_store_only(by_sql: Twins) -> None:
    """Everything works on the primary, and every answer says which store is missing."""
    repository = by_sql.open(secondary=False)
    body = scenario()
    results = [repository.save(body), repository.update(body["id"], {"tone": "Calm"}), repository.delete(body["id"])]
    assert all(result.success for result in results)
    assert {result.degradation_mode for result in results} == {DegradationMode.SUPABASE_DISABLED}
    assert repository.list().degradation_mode is DegradationMode.SUPABASE_DISABLED


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"SUPABASE_URL": "https://x.supabase.co", "SUPABASE_SERVICE_ROLE_KEY": "k" * 40}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://localhost/app"}, "DATABASE_URL"),
        ({"DATABASE_URL": "{primary}", "SUPABASE_URL": "no url", "SUPABASE_SECRET_KEY": "sb_secret_x"}, "SUPABASE_URL"),
        ({"DATABASE_URL": "{primary}", "SUPABASE_URL": "{url}", "SUPABASE_SECRET_KEY": "with a blank"}, "key"),
    ],
)
def test_behaviour_45_settings_that_cannot_be_used_are_named(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], named: str
) -> None:
    """When the repository is opened, by the name of the setting and never by its value."""
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "home"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value.format(primary=pair.primary, url="https://x.supabase.co"))
    with pytest.raises(ConfigurationError, match=named) as caught:
        twinstore.open_repository()
    for value in settings.values():
        assert value not in str(caught.value)


def test_behaviour_45_a_store_that_comes_back_is_used_again(by_sql: Twins) -> None:
    """After failures that opened its circuit, as soon as that lets one call through."""
    guards = {store: Guard(store, Breaker(Rules(open_s=0.001))) for store in StoreName}
    repository = by_sql.open(guards=guards)
    with by_sql.away(SUPABASE):
        for _ in range(3):
            repository.save(scenario())
        assert guards[SUPABASE].state is State.OPEN
    result = repository.save(scenario())
    assert (result.supabase_success, guards[SUPABASE].state) == (True, State.CLOSED)
    assert result.degradation_mode is DegradationMode.NONE


# Both stores


def test_behaviour_46_both_stores_hold_the_same(twins: Twins) -> None:
    """The same id, equal columns, nested JSON as it was: also what an application wrote beside us."""
    acts = {f"act{n}": {"title": f"Act {n}", "key_elements": ["sea", {"n": n}]} for n in range(1, 5)}
    body = content(ContentType.PROMPT, id=new_id(), keywords=["sea", "dusk", "비"], metadata=WHO)
    twins.repository.save(body)
    twins.run(PRISMA, "UPDATE public.planning SET storage = %s, source = 'app'", Jsonb({"structure": acts}))
    twins.repository.update(body["id"], {"finalPrompt": "a lighthouse"})
    columns = (
        "id::text, type, title, content, status, user_id::text, project_id::text, version, metadata, storage, source"
    )
    (ours,), (theirs,) = (twins.rows(store, columns) for store in StoreName)
    assert ours == theirs
    assert (ours[3]["keywords"], ours[7], ours[9]) == (["sea", "dusk", "비"], 2, {"structure": acts})
    with psycopg.connect(url_of(twins.pair, SUPABASE)) as connection:
        ((created,),) = connection.execute("SELECT created_at FROM public.planning").fetchall()
    assert created == NOW
    assert ours[4] == Status.ACTIVE
