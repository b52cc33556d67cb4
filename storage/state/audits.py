"""What was audited so far: rows called equal that were compared field by field, added up over the runs of a dataset."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select

from contracts.verdicts import SelfProof
from storage.state.tables import AUDITS


def add_up(
    connection: Connection, dataset: int, proof: SelfProof, *, run_id: str, now: datetime, anew: bool = False
) -> SelfProof:
    """Return a proof with the rows of earlier runs, whether or not this run was recorded already. Reads only.

    Args:
        connection: A transaction.
        dataset: Number of the dataset.
        proof: How the run's comparison tested itself.
        run_id: The run.
        now: When the run began.
        anew: True where earlier runs looked at other databases.
    """
    known = _known(connection, dataset, proof.form)
    if known is None or (anew and known.last_run_id != run_id):
        return replace(proof, total=proof.audited, since=now)
    added = 0 if known.last_run_id == run_id else proof.audited
    return replace(proof, total=known.rows + added, since=known.since)


def record(connection: Connection, dataset: int, proof: SelfProof, *, run_id: str, now: datetime) -> None:
    """Add a run's audit; one of rows that were read otherwise begins anew."""
    summed = add_up(connection, dataset, proof, run_id=run_id, now=now)
    connection.execute(delete(AUDITS).where(AUDITS.c.dataset_id == dataset))
    connection.execute(
        insert(AUDITS).values(
            dataset_id=dataset, form=proof.form, since=summed.since, rows=summed.total, last_run_id=run_id
        )
    )


def _known(connection: Connection, dataset: int, form: str) -> Row[tuple[int, str, datetime, int, str]] | None:
    same = (AUDITS.c.dataset_id == dataset) & (AUDITS.c.form == form)
    return connection.execute(select(AUDITS).where(same)).one_or_none()
