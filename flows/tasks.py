"""The stages of a check as Prefect tasks: one per stage and store, never one per range.

What a stage takes and returns stays in this process. Prefect sees a name, a state and one sentence, so that no record
and no secret can come into its database.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from contracts.errors import InternalFault
from contracts.verdicts import CheckResult, DatasetReport
from contracts.vocabulary import CheckStatus
from flows.check import Promise
from flows.outcomes import Comparison, Look
from flows.unexpected import understood
from flows.wiring import Stores

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State
    from prefect.futures import PrefectFuture

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SKIPPED = "Skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How a stage ended, for people who look at its task.

    Attributes:
        good: False when it could not do its work; what it found does not matter here.
        text: One sentence without a value of a record.
        name: Name of the state where Prefect's own does not say it.
    """

    good: bool = True
    text: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted(Generic[T_co]):
    """A stage that was handed to Prefect.

    Attributes:
        task: What Prefect knows of it.
        kept: What it returned or raised.
    """

    task: PrefectFuture[Any]
    kept: Future[T_co]

    def result(self) -> T_co:
        """Wait for the stage and return what it returned.

        Raises:
            InternalFault: Prefect ended the task before the stage did.
        """
        self.task.wait()
        if not self.kept.done():
            raise InternalFault(
                f"A task ended as {self.task.state.name} before its work was done.", "Look at the log of the flow run."
            )
        return self.kept.result()


class Tasks:
    """Runs stages as Prefect tasks of these names, without retries, caching or kept results."""

    def start(self, name: str, stage: Callable[..., T], *args: object) -> Promise[T]:
        """Submit a stage."""
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        kept: Future[T] = Future()

        def run() -> State[None]:
            return _run(kept, stage, args)

        submit: Any = task(name=name, task_run_name=name, retries=0, cache_policy=NO_CACHE, persist_result=False)(run)
        return Submitted(submit.submit(), kept)


def account_of(value: object) -> Account:
    """Say how a stage ended that returned this value."""
    match value:
        case Look(error=error) | Comparison(error=error) if error is not None:
            return Account(good=False, text=error.what)
        case Comparison(parity=None):
            return Account(name=SKIPPED, text="There was nothing to compare: a store could not be read.")
        case tuple():
            return _account_of_checks([check for check in value if isinstance(check, CheckResult)])
        case _:
            return Account(text=_result_of(value))


def _result_of(value: object) -> str:
    match value:
        case Stores(environment=environment):
            return f"The environment is {environment}."
        case Look(facts=facts) if facts is not None:
            return f"{facts.table} on PostgreSQL {facts.server_version}."
        case Comparison(parity=parity) if parity is not None:
            return f"{parity.rows.matched:,} rows are equal, {parity.different:,} are not."
        case DatasetReport(verdict=verdict):
            return f"The verdict is {verdict}."
        case _:
            return "Done."


def _account_of_checks(checks: list[CheckResult]) -> Account:
    if not checks:
        return Account(name=SKIPPED, text="There was nothing to judge: the store could not be read.")
    counts = {status: sum(check.status is status for check in checks) for status in CheckStatus}
    text = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    inherited = ", as on the other store, which is equal" if all(check.inherited for check in checks) else ""
    return Account(good=not counts[CheckStatus.ERRORED], text=f"{text}{inherited}.")


def _run(kept: Future[T], stage: Callable[..., T], args: tuple[object, ...]) -> State[None]:
    """Run a stage, keep what it returned or raised, and say to Prefect how it ended."""
    from prefect.states import Completed, Failed

    try:
        value = stage(*args)
    except Exception as exc:  # noqa: BLE001 - it is raised again where the result is asked for
        kept.set_exception(exc)
        return Failed(message=understood(exc, None).what)
    kept.set_result(value)
    account = account_of(value)
    made = Completed if account.good else Failed
    return made(message=account.text, name=account.name or made.__name__)
