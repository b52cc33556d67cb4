"""Which steps are taken at once: some hundred of one store, no key twice, and none beside a step that it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from contracts.repair import Step
from contracts.repair.plan import Texts
from contracts.vocabulary import StoreName

MOST_STEPS = 500
MOST_CHARACTERS = 2_000_000
"""Rows of so much text are held at a time: who writes one of them waits for some tenths of a second."""


def batches(steps: Sequence[Step]) -> Iterator[tuple[StoreName, list[Step]]]:
    """Yield steps that can be taken by one call, in the order of the plan as far as it matters.

    Args:
        steps: The steps, in the order of the plan.
    """
    for window in _windows(steps):
        groups: dict[tuple[int, StoreName], list[Step]] = defaultdict(list)
        round_of_key: dict[str, int] = {}
        round_of_step: dict[int, int] = {}
        for step in window:
            after = max(round_of_key.get(step.key, -1), round_of_step.get(step.needs or 0, -1)) + 1
            round_of_key[step.key] = round_of_step[step.number] = after
            groups[after, step.store].append(step)
        for (_, store), group in sorted(groups.items(), key=lambda item: item[0][0]):
            yield store, group


def _windows(steps: Sequence[Step]) -> Iterator[list[Step]]:
    window: list[Step] = []
    size = 0
    for step in steps:
        characters = _size(step.before) + _size(step.after)
        if window and (len(window) >= MOST_STEPS or size + characters > MOST_CHARACTERS):
            yield window
            window, size = [], 0
        window.append(step)
        size += characters
    if window:
        yield window


def _size(row: Texts | None) -> int:
    return sum(len(text) for text in (row or {}).values() if text)
