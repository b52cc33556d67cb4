"""Whatever stands between us and a project may spoil its answers: nothing false is ever concluded from them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from contracts.errors import (
    ConfigurationError,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from storage.meter import Meter
from storage.ports import HashKind
from storage.rest.client import RestLimits
from storage.rest.errors import Busy, Lost
from tests.support.faulty_proxy import Fault, Plan, faulty_proxy, nobody_accepts, nobody_listens
from tests.support.gateway import Rest
from tests.support.rest_reading import EVERY, HANGING, SHORT, digests, rows_reader, sql_reader
from tests.support.servers import Pair

LASTING: dict[Fault, type[TwinstoreError]] = {
    Fault.HTML: ProtocolError,
    Fault.HTML_CALLED_JSON: ProtocolError,
    Fault.HALF_JSON: ProtocolError,
    Fault.NO_BODY: ProtocolError,
    Fault.CUT_OFF: Lost,
    Fault.CLOSED_AT_ONCE: Lost,
    Fault.SILENT: Lost,
    Fault.STUCK: Lost,
    Fault.DRIPPING: Lost,
    Fault.ROWS_LOST: ProtocolError,
    Fault.ROWS_LOST_QUIETLY: ProtocolError,
    Fault.NOTHING_QUIETLY: ProtocolError,
    Fault.NUMBERS: ProtocolError,
    Fault.NOT_ROWS: ProtocolError,
    Fault.NO_RANGE: ProtocolError,
    Fault.REDIRECT: ConfigurationError,
    Fault.TOO_MANY: Busy,
    Fault.BUSY: Busy,
    Fault.NO_SCHEMA: Busy,
    Fault.LOST_BEHIND: Busy,
    Fault.BAD_GATEWAY: Lost,
    Fault.TIMEOUT: TimedOut,
    Fault.TOO_LONG: TimedOut,
    Fault.RESTRICTED: Refused,
    Fault.PAUSED: Unavailable,
}
"""What a fault of every answer ends in. A tail that is always cut off only makes pages short, and harms nothing."""

PASSING = sorted(set(Fault) - {Fault.REDIRECT, Fault.RESTRICTED, Fault.PAUSED})
"""What is asked again when it happens once."""
QUICK = {Fault.HALF_JSON, Fault.CUT_OFF, Fault.CLOSED_AT_ONCE, Fault.SILENT, Fault.ROWS_LOST_QUIETLY, Fault.NUMBERS}
QUICK |= {Fault.NO_RANGE, Fault.TOO_MANY, Fault.BAD_GATEWAY}
"""Of these, what is tried always once and then no more; lasting faults are all tried always."""


@pytest.fixture
def plan() -> Plan:
    """What the proxy does; nothing at first."""
    return Plan()


@pytest.fixture
def proxied(rest: Rest, plan: Plan) -> Iterator[str]:
    """URL of the project behind a proxy that can be told to spoil answers."""
    with faulty_proxy(rest.url, plan) as url:
        yield url


def is_one_sentence_each(error: TwinstoreError, rest: Rest) -> bool:
    """Say whether an error says what is wrong and what to do, in one plain sentence each, without the key."""
    texts = (error.what, error.todo)
    secrets = (rest.service_key, rest.secret_key, "apikey", "Bearer", "http://127")
    return all(t and "\n" not in t and len(t) < 250 for t in texts) and not any(s in str(error) for s in secrets)


def test_every_fault_is_tried() -> None:
    """Each kind of fault is expected to end in an error, or to make pages short."""
    assert LASTING.keys() | {Fault.TAIL_LOST_QUIETLY, Fault.CLOSED_AFTERWARDS} == set(Fault)


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_ends_in_one_clear_sentence(rest: Rest, plan: Plan, proxied: str, fault: Fault) -> None:
    """The comparison stops, within a few seconds, and nobody is told of rows that are missing."""
    plan.fault = fault
    began = time.monotonic()
    with pytest.raises(LASTING[fault]) as raised:
        digests(rows_reader(proxied, rest.service_key, limits=SHORT if fault in HANGING else None))
    assert time.monotonic() - began < 15
    assert is_one_sentence_each(raised.value, rest)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=() if fault in QUICK else pytest.mark.soak) for fault in PASSING]
)
def test_a_fault_that_passes_changes_nothing(
    still_pair: Pair, rest: Rest, plan: Plan, proxied: str, fault: Fault
) -> None:
    """The same rows are read as without it, whether it spoils the first answer or a later one."""
    expected = digests(sql_reader(still_pair))
    for first in (0, 1):
        plan.fault, plan.first, plan.times, plan.requests = fault, first, 1, 0
        limits = SHORT if fault in HANGING else None
        assert digests(rows_reader(proxied, rest.service_key, limits=limits)) == expected


def test_pages_that_lose_their_tails_are_short_and_nothing_else(
    still_pair: Pair, rest: Rest, plan: Plan, proxied: str
) -> None:
    """A short page is no end: what it lacks comes with the next one, as often as that happens."""
    plan.fault, plan.times = Fault.TAIL_LOST_QUIETLY, 30
    meter = Meter()
    assert digests(rows_reader(proxied, rest.service_key, meter=meter)) == digests(sql_reader(still_pair))
    assert meter.requests > 30


def test_connections_that_close_after_every_answer_do_no_harm(
    still_pair: Pair, rest: Rest, plan: Plan, proxied: str
) -> None:
    """A connection that was closed meanwhile is opened anew."""
    plan.fault = Fault.CLOSED_AFTERWARDS
    assert digests(rows_reader(proxied, rest.service_key)) == digests(sql_reader(still_pair))


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.BUSY])
def test_as_long_as_the_server_asks_nothing_is_sent(rest: Rest, plan: Plan, proxied: str, fault: Fault) -> None:
    """`Retry-After` is waited for, and fewer requests are sent at a time afterwards."""
    plan.fault, plan.times, plan.retry_after_s = fault, 1, 0.4
    began = time.monotonic()
    digests(rows_reader(proxied, rest.service_key))
    assert time.monotonic() - began >= 0.4


def test_a_server_that_asks_for_more_patience_than_there_is_ends_the_run_at_once(
    rest: Rest, plan: Plan, proxied: str
) -> None:
    """An hour is not waited for."""
    plan.fault, plan.retry_after_s = Fault.TOO_MANY, 3600
    with pytest.raises(Busy):
        digests(rows_reader(proxied, rest.service_key))
    assert plan.requests == 1


def test_a_refused_connection_is_said_to_be_one() -> None:
    """Nothing listens there."""
    with nobody_listens() as url, pytest.raises(Lost, match="cannot be reached"):
        digests(rows_reader(url, "sb_secret_x", limits=SHORT))


def test_a_connection_that_nobody_accepts_ends_in_time() -> None:
    """The time-out of the connection counts, not that of the whole answer."""
    with nobody_accepts() as url, pytest.raises(Lost, match="cannot be reached"):
        digests(rows_reader(url, "sb_secret_x", limits=SHORT))


@pytest.mark.parametrize("key", ["sb_secret_wrong", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.AAAA"])
def test_a_wrong_key_is_refused_without_being_shown(rest: Rest, key: str) -> None:
    """Both kinds of keys: opaque ones and tokens."""
    with pytest.raises(Refused, match="does not accept our key") as raised:
        rows_reader(rest.url, key).facts()
    assert key not in str(raised.value)


def test_with_the_anon_key_rows_may_be_hidden(rest: Rest) -> None:
    """The facts say so for both kinds of keys, so that nothing is compared."""
    for key in (rest.anon_key, rest.publishable_key):
        facts = rows_reader(rest.url, key).facts()
        assert not facts.sees_all_rows
        assert "hide rows from anon" in facts.note


def test_the_service_key_sees_all_rows(rest: Rest) -> None:
    """Both kinds of keys."""
    assert all(rows_reader(rest.url, k).facts().sees_all_rows for k in (rest.service_key, rest.secret_key))


def test_a_missing_grant_is_named(seeded_pair: Pair, own_rest: Rest) -> None:
    """The error holds the statement that helps."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("REVOKE ALL ON public.planning FROM service_role")
    with pytest.raises(Refused, match=r"GRANT SELECT ON public\.planning TO service_role"):
        rows_reader(own_rest.url, own_rest.service_key).facts()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE public.planning RENAME COLUMN source TO origin", "no column source"),
        ("ALTER TABLE public.planning RENAME TO plans", "no table public.planning"),
    ],
)
def test_what_is_missing_is_named(seeded_pair: Pair, own_rest: Rest, statement: str, said: str) -> None:
    """A column or a table that is not there is not read as if it were empty."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute(statement)
        connection.execute("NOTIFY pgrst, 'reload schema'")
    with pytest.raises(SchemaMismatch, match=said):
        rows_reader(own_rest.url, own_rest.service_key).facts()


def test_a_path_without_an_api_is_a_wrong_setting(rest: Rest) -> None:
    """SUPABASE_URL with a path that leads nowhere."""
    with pytest.raises(TwinstoreError) as raised:
        rows_reader(f"{rest.url}/elsewhere", rest.service_key).facts()
    assert isinstance(raised.value, (ConfigurationError, Refused))


def test_a_budget_of_requests_is_kept(rest: Rest) -> None:
    """The request beyond it is not sent."""
    meter = Meter(max_requests=1)
    with pytest.raises(ConfigurationError, match="1 requests"):
        digests(rows_reader(rest.url, rest.service_key, meter=meter))
    assert meter.requests == 1


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.TOO_LONG])
def test_what_is_too_much_is_asked_for_in_smaller_parts(
    still_pair: Pair, rest: Rest, plan: Plan, proxied: str, fault: Fault
) -> None:
    """After 57014 and the like pages and lists of keys are halved, and all rows come."""
    expected = sql_reader(still_pair)
    reader = rows_reader(proxied, rest.service_key)
    with reader.snapshot(HashKind.TEXT) as snapshot, expected.snapshot(HashKind.TEXT) as true:
        plan.fault, plan.first, plan.times = fault, 1, 3
        assert snapshot.digests() == true.digests()
        keys = [pair.key for pair in true.pairs(EVERY)]
        plan.requests = 0
        assert snapshot.rows(keys) == true.rows(keys)


def test_answers_that_are_too_large_are_asked_for_in_smaller_parts(still_pair: Pair, rest: Rest) -> None:
    """A limit of some rows per answer makes pages of some rows."""
    reader = rows_reader(rest.url, rest.service_key, limits=RestLimits(max_answer_bytes=20_000))
    assert digests(reader) == digests(sql_reader(still_pair))


def test_a_row_that_is_too_large_ends_the_run(seeded_pair: Pair, own_rest: Rest) -> None:
    """A page of one row cannot be halved."""
    with psycopg.connect(seeded_pair.secondary) as connection:
        connection.execute("UPDATE public.planning SET title = title, source = repeat('x', 30000) WHERE ctid = '(0,1)'")
    reader = rows_reader(own_rest.url, own_rest.service_key, limits=RestLimits(max_answer_bytes=20_000))
    with pytest.raises(TimedOut, match="larger than 20,000 bytes"):
        digests(reader)


def test_a_budget_of_bytes_is_kept(rest: Rest) -> None:
    """Once it is spent no further request is sent."""
    meter = Meter(max_bytes=100_000)
    reader = rows_reader(rest.url, rest.service_key, meter=meter, limits=RestLimits(max_answer_bytes=20_000))
    with pytest.raises(ConfigurationError, match="100,000 bytes"):
        digests(reader)
    assert 100_000 <= meter.bytes < 250_000


def test_proxies_of_the_environment_are_not_used(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is never sent through a host that SUPABASE_URL does not name."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert rows_reader(rest.url, rest.service_key).facts().reachable


def test_nothing_is_logged_that_could_hold_a_value_or_a_key(
    still_pair: Pair, rest: Rest, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not even by the libraries below, at the level of information, when a read is tried again."""
    caplog.set_level("INFO")
    plan = Plan(fault=Fault.BUSY, first=1, times=1)
    with faulty_proxy(rest.url, plan) as url:
        reader = rows_reader(url, rest.service_key)
        keys = list(digests(reader))
    with reader.snapshot(HashKind.TEXT) as snapshot, sql_reader(still_pair).snapshot(HashKind.TEXT) as theirs:
        key = next(iter(theirs.pairs(keys))).key
        with pytest.raises(Lost):
            snapshot.rows([key])
    logged = caplog.text + "".join(capfd.readouterr())
    assert key not in logged
    assert rest.service_key not in logged
