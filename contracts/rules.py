"""What a rule of a contract is: a stable id, a severity and a sentence that says what breaks without it."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.vocabulary import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One statement about every row of a dataset.

    Attributes:
        id: Stable id, `<dataset>.<name>`.
        severity: How bad a violation is.
        sentence: What must hold, and what breaks when it does not.
        columns: The columns that it reads, beside the key that names the row.
        broken_by: Ids of faults of the catalogue that violate it.
    """

    id: str
    severity: Severity
    sentence: str
    columns: tuple[str, ...]
    broken_by: tuple[str, ...] = ()
