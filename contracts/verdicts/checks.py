"""What became of a rule or an expectation."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.vocabulary import CheckSource, CheckStatus, Severity, StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One contract rule or expectation, evaluated on one store.

    Attributes:
        id: Stable id, such as `planning.content_id_matches`.
        source: Contract or expectation.
        store: The store whose rows were judged.
        severity: How bad a failure is.
        status: What became of it.
        message: One sentence: what breaks when this is violated, or why it was skipped or errored.
        failing_rows: Number of rows that violate it; 0 unless failed.
        checked_rows: Number of rows that were judged; None where the check is not about rows.
        sample_keys: Some of the keys that violate it, smallest first.
        observed: What was measured, in words, for checks that are not about single rows.
        inherited: True when the verdict was taken over from the other store, proven equal in the same run.
        waiver: Owner, reason and expiry in one sentence, when waived.
        seconds: Time that the check took, in seconds, where it is known.
    """

    id: str
    source: CheckSource
    store: StoreName
    severity: Severity
    status: CheckStatus
    message: str
    failing_rows: int = 0
    checked_rows: int | None = None
    sample_keys: tuple[str, ...] = ()
    observed: str | None = None
    inherited: bool = False
    waiver: str | None = None
    seconds: float | None = None
