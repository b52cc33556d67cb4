"""Run the stages of a check against a pair of test databases, without memory, report or Prefect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr

from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import Channel, StoreName
from flows import stages
from flows.capturing import prove_capture
from flows.concluding import conclude
from flows.job import Job
from flows.own_checks import settle_check
from flows.settings import Settings
from flows.wiring import Stores
from storage.rest.client import RestAccess
from storage.urls import parse_url
from tests.support.gateway import Rest, serve
from tests.support.servers import SEEDED_AT, Pair

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that has run."""

    value: object

    def result(self) -> object:
        """Return what it returned."""
        return self.value


class InLine:
    """Runs every stage at once, in this thread."""

    def start(self, name: str, stage: Callable[..., T], *args: object) -> Done:  # noqa: ARG002 - the port names it
        """Run the stage."""
        return Done(stage(*args))


def stores_of(pair: Pair, rest: Rest | None = None) -> Stores:
    """Return the stores that the databases of a test stand for; with `rest` the secondary is read over REST."""
    urls = {StoreName.PRISMA: pair.primary, StoreName.SUPABASE: pair.secondary}
    access = RestAccess(url=rest.url, key=rest.secret_key) if rest else None
    return Stores(urls={s: parse_url(u, s) for s, u in urls.items()}, environment="test", embedded=False, rest=access)


def job_of(
    pair: Pair, *, rest: Rest | None = None, grace_s: float = 0.0, recheck_rounds: int = 1, **settings: object
) -> Job:
    """Return a check of planning on these databases; without waiting for rows to settle unless told."""
    way: dict[str, object] = {"supabase_db_url": SecretStr(pair.secondary)}
    if rest is not None:
        way = {"supabase_url": rest.url, "supabase_secret_key": SecretStr(rest.secret_key)}
    patience = {"grace_s": grace_s, "recheck_rounds": recheck_rounds}
    known = Settings().model_copy(update={**way, **patience, **settings})
    return Job(settings=known, stores=stores_of(pair, rest), name="planning", run_id="test", now=SEEDED_AT)


@contextmanager
def over(pair: Pair, channel: Channel) -> Iterator[Rest | None]:
    """Serve the secondary over REST unless the channel is SQL."""
    if channel is Channel.SQL:
        yield None
    else:
        with serve(pair.secondary_gate) as rest:
            yield rest


def check(job: Job, *, suite: tuple[CheckResult, ...] | None = None, trend: tuple[int, ...] = ()) -> DatasetReport:
    """Run all stages of a check; with `suite` its results are taken instead of running the suite again.

    Args:
        job: The check.
        suite: Results of the suite.
        trend: The rows that each store held in earlier runs, oldest first.
    """
    with closing(job):
        return _stages(job, suite, trend)


def _stages(job: Job, suite: tuple[CheckResult, ...] | None, trend: tuple[int, ...]) -> DatasetReport:
    primary, secondary = (stages.look_at(job, store) for store in StoreName)
    looks = (primary, secondary)
    capture = prove_capture(job, looks)
    comparison = stages.compare_stores(job, looks, capture)
    checks: tuple[CheckResult, ...] = suite or ()
    for look in looks:
        checks += stages.judge_contract(job, look)
        checks += stages.run_expectations(job, look, trend) if suite is None else ()
    checks += settle_check(job, comparison, frozenset()) + capture.checks
    return conclude(job, looks, comparison, checks, capture)
