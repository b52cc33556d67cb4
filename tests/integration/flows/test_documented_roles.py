"""The documented roles: their grants are enough for a check, each is needed, and none lets them write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import StoreName, Verdict
from flows import stages
from tests.support.accounts import changed, superuser_of, url_of, with_url
from tests.support.checking import check, job_of
from tests.support.servers import Pair

PAGE = Path(__file__).parents[3] / "docs" / "getting-started.md"
ROLE, PASSWORD = "twinstore_check", "choose one"
BLOCKS = [b for b in re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "CREATE ROLE" in b]
SCRIPTS = dict(zip(StoreName, BLOCKS, strict=True))
NEEDED = [
    (store, statement)
    for store, script in SCRIPTS.items()
    for statement in re.findall(r"^GRANT .*;$", script, re.MULTILINE)
    if "SCHEMA public" not in statement  # that one everybody has, on most servers
]


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
