"""A repair as a Prefect flow: planned from a check, approved by somebody in Prefect's page or by a policy, carried out.

Completed means that all is done that was to be done, or that there was nothing to do; Failed that a brake held it, that
nobody approved it in time, or that something moved, was refused or did not stay as it was written. Who approves enters
the hash of the plan, so that nobody can approve another one than they looked at.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from flows.quiet import quiet_libraries
from flows.settings import load_settings
from flows.wiring import home

# A worker has imported Prefect, and set its folder, before it loads this file.
quiet_libraries(None if "prefect" in sys.modules else home(load_settings()))

from prefect import flow, get_run_logger  # noqa: E402 - after its telemetry was switched off
from prefect.artifacts import create_markdown_artifact  # noqa: E402
from prefect.client.schemas.objects import State  # noqa: E402
from prefect.exceptions import FlowPauseTimeout  # noqa: E402
from prefect.flow_runs import pause_flow_run  # noqa: E402
from prefect.input import RunInput  # noqa: E402
from prefect.states import Completed, Failed  # noqa: E402

from flows.artifacts import artifact_key  # noqa: E402
from flows.check import threads  # noqa: E402
from flows.repair.applying import Approval  # noqa: E402
from flows.repair.asking import override  # noqa: E402
from flows.repair.attending import Attended, Question, attend, read_unattended, summary, wanted_of  # noqa: E402
from flows.repair.planning import the_dataset  # noqa: E402
from flows.repair.work import Work, at_work  # noqa: E402
from flows.unexpected import understood  # noqa: E402

WAIT_H = 12.0
POLL_S = 10


class Approve(RunInput):
    """What whoever approves a repair enters.

    Attributes:
        plan_hash: The hash of the plan, at least its first 12 digits; anything else declines it.
        by: Who approves it.
        allow: The brakes that they release, such as `rows=500 empty-side`; none for none.
    """

    plan_hash: str
    by: str
    allow: str = ""


@flow(name="repair", retries=0, persist_result=False, log_prints=False)
def repair(  # noqa: PLR0917 - Prefect passes parameters by name
    dataset: str | None = None,
    run_id: str | None = None,
    mode: str = "upsert-only",
    source: str = "primary",
    policy: str | None = None,
    wait_h: float = WAIT_H,
) -> State[Any]:
    """Plan a repair, have it approved, carry it out and verify it.

    The stores and all secrets come from the environment of the process that runs it, never from parameters.

    Args:
        dataset: Name of the dataset, where several can be repaired.
        run_id: The run to rest on; a check is made unless given.
        mode: What the plan may do.
        source: Whose rows count: primary or secondary.
        policy: A file that says what is carried out with nobody looking; all is asked for unless given.
        wait_h: For how many hours somebody is waited for.
    """
    try:
        attended = attended_repair(
            dataset, run_id=run_id, mode=mode, source=source, policy=policy, wait_s=round(wait_h * 3600)
        )
    except Exception as exc:  # noqa: BLE001 - Prefect would log its text, which may hold values
        error = understood(exc, None)
        return Failed(message=str(error), data=error)
    made = Failed if attended.exit_code else Completed
    return made(message=" ".join(attended.sentences), data={"exit_code": attended.exit_code})


def attended_repair(
    dataset: str | None, *, run_id: str | None, mode: str, source: str, policy: str | None, wait_s: int
) -> Attended:
    """Repair inside a flow run, which is paused where somebody has to approve.

    Raises:
        TwinstoreError: The check could not look everywhere, or a store cannot be used.
    """
    logger, settings = get_run_logger(), load_settings()
    wanted, name = wanted_of(mode, source), the_dataset(dataset)
    allowed = None if policy is None else read_unattended(Path(policy))
    with at_work(settings, progress=logger.info) as work, threads() as conductor:
        return attend(
            work,
            conductor,
            name,
            wanted,
            ask=lambda question: asked(work, question, wait_s=wait_s),
            run_id=run_id,
            policy=allowed,
        )


def asked(work: Work, question: Question, *, wait_s: int) -> Approval | None:
    """Pause the flow run until somebody enters the hash of the plan; None when nobody does, or another one."""
    logger, text = get_run_logger(), summary(question)
    create_markdown_artifact(text, key=artifact_key(work.stores.environment, "repair"), description="What is asked for")
    logger.info("the plan waits for somebody to approve it: %s", question.page)
    described = Approve.with_initial_data(description=text, by="")
    try:
        answer = pause_flow_run(
            wait_for_input=described, timeout=wait_s, poll_interval=min(POLL_S, max(1, wait_s // 60))
        )
    except FlowPauseTimeout:
        return None
    if answer is None or not question.made.known.plan_hash.startswith(answer.plan_hash.strip().lower() or "-"):
        logger.warning("what was entered is not the hash of the plan")
        return None
    words = [word for word in re.split(r"[\s,]+", answer.allow) if word]
    by = answer.by.strip() or "somebody in Prefect"
    overrides = tuple(override(word, by=by) for word in words)
    return Approval(digits=answer.plan_hash.strip(), by=by, overrides=overrides)
