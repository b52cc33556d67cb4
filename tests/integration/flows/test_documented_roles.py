"""The documented roles: their grants are enough for a check, each is needed, and none lets them write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.replication import Place, ReplicationState
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName, Verdict
from flows import stages
from storage.local.faults import fault, inject_adopted
from tests.support.accounts import changed, superuser_of, url_of, with_url
from tests.support.checking import check, job_of
from tests.support.replicating import relaying, replicating
from tests.support.servers import Pair

PAGE = Path(__file__).parents[3] / "docs" / "getting-started.md"
ROLE, PASSWORD = "twinstore_check", "choose one"
BLOCKS = [b for b in re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "CREATE ROLE" in b]
SCRIPTS = dict(zip(StoreName, BLOCKS, strict=True))
GRANTS = [
    (store, statement)
    for store, script in SCRIPTS.items()
    for statement in re.findall(r"^GRANT .*;$", script, re.MULTILINE)
    if "SCHEMA public" not in statement  # that one everybody has, on most servers
]
OF_REPLICATION = re.compile(r"ON FUNCTION|twinstore\.conflict")
NEEDED = [(store, grant) for store, grant in GRANTS if not OF_REPLICATION.search(grant)]
NEEDED_WHEN_ADOPTED = [(store, grant) for store, grant in GRANTS if OF_REPLICATION.search(grant)]


def execute(url: str, *statements: str) -> None:
    """Run statements, each on its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def reading(seeded_pair: Pair) -> Iterator[Pair]:
    """A pair whose stores are reached by the documented roles."""
    pair = seeded_pair
    try:
        for store, script in SCRIPTS.items():
            create, *grants = (line for line in script.splitlines() if line)
            creator = superuser_of(pair, store) if store is StoreName.PRISMA else url_of(seeded_pair, store)
            execute(creator, create)
            execute(url_of(seeded_pair, store), *grants)
            pair = with_url(pair, store, changed(url_of(pair, store), user=ROLE, password=PASSWORD))
        yield pair
    finally:
        for store in StoreName:
            execute(superuser_of(pair, store), f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


def test_the_documented_roles_are_enough_for_a_check(reading: Pair) -> None:
    """Rows, contracts and suites of both stores are judged, and nothing is in the way."""
    report = check(job_of(reading))
    assert (report.verdict, report.reasons) == (Verdict.PASSED, ())
    assert report.rows.matched == report.rows.primary


@pytest.mark.parametrize(("store", "grant"), NEEDED)
def test_every_documented_grant_is_needed(seeded_pair: Pair, reading: Pair, store: StoreName, grant: str) -> None:
    """Without it the store cannot be looked at."""
    execute(url_of(seeded_pair, store), grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
    assert stages.look_at(job_of(reading), store).error is not None


def test_the_documented_roles_can_ask_how_replication_stands(
    seeded_pair: Pair, reading: Pair, clean_suite: tuple[CheckResult, ...]
) -> None:
    """Capture is proven and differences get their place, without a right to write."""
    faults = [fault("lost_prisma"), fault("dead_letter")]
    with replicating(seeded_pair) as replication:
        inject_adopted(
            seeded_pair.primary_superuser, seeded_pair.secondary_superuser, faults, relay=relaying(replication)
        )
        report = check(job_of(reading), suite=clean_suite)
    assert report.replication is not None
    assert report.replication.places == {Place.DEAD_LETTER: 3, Place.LOST: 3}
    assert {c.status for c in report.checks if c.id == "planning.capture_gap"} == {CheckStatus.PASSED}


@pytest.mark.parametrize(("store", "grant"), NEEDED_WHEN_ADOPTED)
def test_without_a_grant_of_replication_an_adopted_pair_is_never_passed(
    seeded_pair: Pair, reading: Pair, clean_suite: tuple[CheckResult, ...], store: StoreName, grant: str
) -> None:
    """The table shows that its writes are captured, so that a role that may not ask is an error."""
    with replicating(seeded_pair):
        execute(url_of(seeded_pair, store), grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
        report = check(job_of(reading), suite=clean_suite)
    assert report.verdict is Verdict.ERRORED
    assert CheckStatus.ERRORED in {c.status for c in report.checks if c.id == "planning.capture_gap"}


def test_without_the_grants_of_replication_a_pair_that_was_never_adopted_is_checked_all_the_same(
    seeded_pair: Pair, reading: Pair, clean_suite: tuple[CheckResult, ...]
) -> None:
    """Nothing shows that writes are captured; the report says that it is unknown, and goes on."""
    for store, grant in NEEDED_WHEN_ADOPTED:
        execute(url_of(seeded_pair, store), grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))
    report = check(job_of(reading), suite=clean_suite)
    assert (report.verdict, report.reasons) == (Verdict.PASSED, ())
    assert report.replication is not None
    assert report.replication.state is ReplicationState.UNKNOWN


@pytest.mark.parametrize("store", list(StoreName))
def test_the_documented_roles_cannot_write(reading: Pair, store: StoreName) -> None:
    """Neither records nor what twinstore keeps beside them."""
    for statement in (
        "DELETE FROM public.planning",
        "UPDATE public.planning SET version = 2",
        "DELETE FROM twinstore.identity",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(url_of(reading, store), statement)
