"""Waivers: failures that somebody answers for, until a day. After that day they count again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from contracts.errors import ConfigurationError
from contracts.verdicts import CheckResult
from contracts.vocabulary import CheckStatus, StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One accepted failure.

    Attributes:
        target: Id of a check.
        dataset: The dataset that it is about.
        store: The store that it is about; None for both.
        owner: Who answers for it.
        reason: Why it is accepted, in one sentence.
        expires: The last day on which it holds.

    Raises:
        ConfigurationError: Target, dataset, owner or reason is blank.
    """

    target: str
    dataset: str
    owner: str
    reason: str
    expires: date
    store: StoreName | None = None

    def __post_init__(self) -> None:
        for name in ("target", "dataset", "owner", "reason"):
            if not getattr(self, name).strip():
                raise ConfigurationError(f"A waiver needs a {name}.", "Say who accepts which failure, and why.")

    def covers(self, target: str, store: StoreName | None) -> bool:
        """Say whether this waiver is about `target` on `store`, expired or not."""
        return self.target == target and self.store in (None, store)

    def active(self, today: date) -> bool:
        """Say whether this waiver still holds on `today`."""
        return today <= self.expires

    @property
    def sentence(self) -> str:
        """Owner, expiry and reason in one sentence."""
        return f"Waived by {self.owner} until {self.expires:%Y-%m-%d}: {self.reason}"


def waiver_for(target: str, store: StoreName | None, waivers: Iterable[Waiver]) -> Waiver | None:
    """Return the waiver of a check or cause that lasts longest, expired or not; None where there is none."""
    covering = [waiver for waiver in waivers if waiver.covers(target, store)]
    return max(covering, key=lambda waiver: waiver.expires, default=None)


def apply_waivers(checks: Iterable[CheckResult], waivers: Iterable[Waiver], today: date) -> tuple[CheckResult, ...]:
    """Turn failed checks into waived ones where a waiver of their dataset holds on `today`.

    Only failures can be waived: a check that errored or was skipped could not tell, and nobody can answer for that.
    Where the waiver has expired the check stays failed, and its message says since when.
    """
    known = tuple(waivers)
    return tuple(_apply(check, waiver_for(check.id, check.store, known), today) for check in checks)


def _apply(check: CheckResult, waiver: Waiver | None, today: date) -> CheckResult:
    if waiver is None or check.status is not CheckStatus.FAILED:
        return check
    if waiver.active(today):
        return replace(check, status=CheckStatus.WAIVED, waiver=waiver.sentence)
    expired = f"The waiver of {waiver.owner} expired after {waiver.expires:%Y-%m-%d}."
    return replace(check, message=f"{check.message} {expired}")
