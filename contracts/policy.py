"""The policy of a gate, as its file says it: strict, so that what is not understood is refused, not passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.errors import ConfigurationError
from contracts.replication import Place
from contracts.vocabulary import Cause, Severity, StoreName
from contracts.waivers import Waiver

PolicyPlace = tuple[str | int, ...]
"""Where something stands in a policy: keys and positions from the outside in."""

NEVER_WAIVED = frozenset({Cause.SIDE_EMPTY, Cause.UNEXPLAINED})
"""Causes for which nobody can answer: a store that lost everything, and what nothing explains."""

NEVER_WAIVED_PLACES = frozenset({Place.LOST})
"""What nobody can answer for, since nothing says that it will ever end: a write that passed by capture."""

Rows = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
CheckId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+$", max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Limit(_Strict):
    """How many rows may be concerned; where both numbers are given, both must hold.

    Attributes:
        max_rows: Highest number of rows.
        max_share: Highest share of the rows that were looked at, from 0 to 1.
    """

    max_rows: Rows | None = None
    max_share: Share | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.max_rows is None and self.max_share is None:
            raise ValueError("a limit needs max_rows, max_share or both")
        return self

    def allows(self, rows: int, of: int | None) -> bool:
        """Say whether so many rows keep the limit; a share of nothing, or of a number unknown, allows no row."""
        if self.max_rows is not None and rows > self.max_rows:
            return False
        return self.max_share is None or rows <= Fraction(str(self.max_share)) * (of or 0)

    @property
    def sentence(self) -> str:
        """The limit in words, such as `at most 10 rows and at most 0.1 %`."""
        parts = []
        if self.max_rows is not None:
            parts.append(f"at most {self.max_rows:,} {'row' if self.max_rows == 1 else 'rows'}")
        if self.max_share is not None:
            parts.append(f"at most {float(Fraction(str(self.max_share)) * 100):g} %")
        return " and ".join(parts)


class CheckPolicy(_Strict):
    """What the gate makes of one check, on both stores alike.

    Attributes:
        severity: A higher severity than the check's own; a lower one is refused, since that would be a waiver without
            owner and end.
        tolerate: How many rows may fail it. A failure that is not about rows is never tolerated.
        required: True when the gate cannot tell without it: then it must not be skipped.
    """

    severity: Severity | None = None
    tolerate: Limit | None = None
    required: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.severity is None and self.tolerate is None and not self.required:
            raise ValueError("say severity, tolerate or required")
        return self


class Limits(_Strict):
    """Limits of one dataset; what is not given is taken from the limits of all datasets.

    Attributes:
        differences: Keys on which the stores may disagree, as a share of the compared ones; none unless said.
        deferred: Rows that may have moved while they were looked at, as a share of the larger store. A run defers at
            most 0.1 % in any case.
        excluded: Rows that may be left out of the comparison, as a share of the larger store; any number unless said.
        pending: Rows that may differ while their change is under way, as a share of the larger store; any number unless
            said.
        min_rows: Rows that each store must hold for a comparison to prove anything; 1 unless said.
    """

    differences: Limit | None = None
    deferred: Limit | None = None
    excluded: Limit | None = None
    pending: Limit | None = None
    min_rows: Rows | None = None


class WaiverEntry(_Strict):
    """A failure, or differences of one cause or one place, that somebody answers for until a day.

    Attributes:
        check: Id of a check; or `cause` or `place` is given.
        cause: Cause of differences; then `dataset` is needed.
        place: How differences stand in replication; then `dataset` is needed, and no store is said.
        dataset: The dataset that has the differences.
        store: The store that it is about; both unless said.
        owner: Who answers for it.
        reason: Why it is accepted, in one sentence.
        expires: The last day on which it holds.
    """

    check: CheckId | None = None
    cause: Cause | None = None
    place: Place | None = None
    dataset: Name | None = None
    store: StoreName | None = None
    owner: Words
    reason: Words
    expires: date

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if sum(target is not None for target in (self.check, self.cause, self.place)) != 1:
            raise ValueError("a waiver needs either check, cause or place")
        if (self.check is None) != (self.dataset is not None):
            raise ValueError("dataset is said together with cause or place, and only then")
        if self.cause in NEVER_WAIVED or self.place in NEVER_WAIVED_PLACES:
            raise ValueError(f"{self.cause or self.place} cannot be waived")
        if self.place is not None and self.store is not None:
            raise ValueError("a place is about both stores")
        return self

    @property
    def waiver(self) -> Waiver:
        """The waiver that this entry declares."""
        return Waiver(
            target=self.check or str(self.cause or self.place),
            dataset=self.dataset or dataset_of(str(self.check)),
            owner=self.owner,
            reason=self.reason,
            expires=self.expires,
            store=self.store,
        )


class Policy(_Strict):
    """What a gate lets through. As it stands without a file: no difference and no failed critical check.

    Attributes:
        version: Version of the form of the file.
        fail_on: The lowest severity whose failed checks fail the gate; the others warn.
        nothing_new: True when only what is not in the accepted baseline counts.
        limits: Limits of every dataset.
        datasets: Limits of single datasets, by name.
        checks: What is made of single checks, by id.
        waivers: Failures that somebody answers for.
    """

    version: Annotated[int, Field(ge=1, le=1)]
    fail_on: Severity = Severity.CRITICAL
    nothing_new: bool = False
    limits: Limits = Limits()
    datasets: Mapping[Name, Limits] = Field(default_factory=dict)
    checks: Mapping[CheckId, CheckPolicy] = Field(default_factory=dict)
    waivers: tuple[WaiverEntry, ...] = ()

    @model_validator(mode="after")
    def _waives_nothing_twice(self) -> Self:
        waived = [(entry.waiver.target, entry.waiver.dataset, entry.store) for entry in self.waivers]
        for number, this in enumerate(waived):
            if this in waived[:number]:
                raise ValueError(f"{this[0]} is waived twice for the same store")
        return self

    def limits_of(self, dataset: str) -> Limits:
        """Return the limits of a dataset: its own, then those of all datasets, then those that always hold."""
        always = {"differences": Limit(max_rows=0), "min_rows": 1}
        common = self.limits.model_dump(exclude_none=True)
        own = self.datasets.get(dataset, Limits()).model_dump(exclude_none=True)
        return Limits.model_validate({**always, **common, **own})


def dataset_of(check: str) -> str:
    """Return the dataset that a check is about: the first part of its id."""
    return check.partition(".")[0]


def is_stricter(severity: Severity, than: Severity) -> bool:
    """Say whether one severity is higher than another."""
    order = list(Severity)  # worst first
    return order.index(severity) < order.index(than)


def require_known(policy: Policy, declared: Mapping[str, Mapping[str, Severity]]) -> None:
    """Refuse a policy that speaks of datasets or checks that do not exist: a slip of the pen must not open the gate.

    A waiver of an unknown check opens nothing; the gate warns of it like of any other that matches nothing.

    Args:
        policy: The policy.
        declared: Per known dataset, its checks with their severities.

    Raises:
        ConfigurationError: A name is unknown, or a check is rated lower than it rates itself.
    """
    for name in policy.datasets:
        if name not in declared:
            raise ConfigurationError(
                f"The policy sets limits for {name}, and there is no such dataset.",
                f"Use one of: {', '.join(sorted(declared))}.",
            )
    for check, rule in policy.checks.items():
        own = declared.get(dataset_of(check), {}).get(check)
        if own is None:
            raise ConfigurationError(
                f"The policy speaks of {check}, and there is no such check.", "docs/checks.md lists the checks."
            )
        if rule.severity is not None and is_stricter(own, rule.severity):
            raise ConfigurationError(
                f"The policy rates {check} as {rule.severity}, and it is {own}.",
                "Tolerate a number of rows, or waive it with owner, reason and expiry.",
            )
