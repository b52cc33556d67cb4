"""Measuring several works in turns, so that what else the machine does weighs on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from flows.bench.lines import Reference, median

T = TypeVar("T")
Progress = Callable[[str], None]
ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one work.

    Attributes:
        seconds: Wall time; None where the work failed.
        facts: What else was measured, by name.
        trouble: Why it failed; empty if it did not.
        gave_up_s: The time limit that it exceeded, if it did.
    """

    seconds: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    trouble: str = ""
    gave_up_s: float | None = None


Work = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Series:
    """All measurements of one work, the warm-up left out unless it failed."""

    samples: tuple[Sample, ...] = ()

    @property
    def seconds(self) -> float | None:
        """The median time; None where any measurement failed."""
        times = [s.seconds for s in self.samples if s.seconds is not None]
        return median(times) if times and len(times) == len(self.samples) else None

    @property
    def trouble(self) -> str:
        """Why a measurement failed; empty if none did."""
        return next((s.trouble for s in self.samples if s.trouble), "")

    def fact(self, name: str) -> float | None:
        """Return the median of something else that was measured; None where it was not."""
        values = [s.facts[name] for s in self.samples if name in s.facts]
        return median(values) if values else None

    def always(self, name: str, value: float) -> bool:
        """Tell whether something was the same in every measurement."""
        return bool(self.samples) and all(s.facts.get(name) == value for s in self.samples)

    def reference(self, name: str) -> Reference:
        """Return the times as what another work is compared with."""
        limit = next((s.gave_up_s for s in self.samples if s.gave_up_s is not None), None)
        if limit is not None:
            return Reference(name=name, value=limit, more=True)
        return Reference(name=f"{name} ({self.trouble})" if self.trouble else name, value=self.seconds)


def in_turns(works: Mapping[str, Work], *, rounds: int = ROUNDS, progress: Progress) -> dict[str, Series]:
    """Run every work once as a warm-up and then `rounds` times, one after the other in each round.

    A work that fails is not run again. With no rounds the warm-up itself counts.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in works}
    failed: dict[str, Sample] = {}
    for number in range(rounds + 1):
        for name, work in works.items():
            if name in failed:
                continue
            progress(f"{name}, {f'{number} of {rounds}' if number else 'warm-up'}")
            sample = work()
            if sample.seconds is None:
                failed[name] = sample
            elif number or not rounds:
                samples[name].append(sample)
    return {name: Series((failed[name],) if name in failed else tuple(samples[name])) for name in works}


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds something takes, and what it returns."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result
