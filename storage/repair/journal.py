"""The journal of a repair: what was about to be done and what became of it, on disk before and after it is done.

It is a file of JSON lines that is only added to. Whoever is killed leaves at most one line that is not whole, which
counts as not written, and which the next one that holds the lease takes away before it adds to the file. Whoever lost
the lease meanwhile finds lines that it did not write, and adds none. It holds values of records, and only its owner may
read it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.errors import ConfigurationError, Conflict
from contracts.repair import Done, Mended, Override

JOURNAL_FILE = "journal.jsonl"

_SAFE = "Make a new plan with `twinstore repair plan`; both stores are as they are, whatever this file says."


class Journal:
    """The journal of one plan.

    Args:
        file: Where it is.

    Raises:
        ConfigurationError: The file is damaged, or cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._size = 0  # bytes of the file, as this process knows it
        self._whole = 0  # bytes of whole lines
        self._plan_hash: str | None = None
        self.done: dict[int, Done] = {}
        self.unanswered: dict[str, tuple[int, ...]] = {}
        self.intended_at: dict[str, datetime] = {}
        self._read()

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """Open the journal in the folder of a repair, whether or not anything was done yet.

        Raises:
            ConfigurationError: The file is damaged, or cannot be read.
        """
        return cls(folder / JOURNAL_FILE)

    @property
    def begun(self) -> bool:
        """True when the plan was ever applied."""
        return self._plan_hash is not None

    @property
    def intended(self) -> set[int]:
        """Numbers of steps that were about to be taken, and of which nobody noted what became of them."""
        return {number for numbers in self.unanswered.values() for number in numbers}

    def begin(self, *, plan_hash: str, by: str, overrides: Sequence[Override], now: datetime) -> None:
        """Note that the plan is applied, by whom, and which brakes were released. Only whoever holds the lease may.

        Raises:
            ConfigurationError: The journal is of another plan, or cannot be written.
            Conflict: Somebody else wrote to it since it was opened.
        """
        if self._plan_hash not in (None, plan_hash):
            raise ConfigurationError("The journal of this repair is of another plan than its file.", _SAFE)
        self.trim()
        released = [{"brake": one.brake, "value": one.value, "by": one.by} for one in overrides]
        self._add({"begun": plan_hash, "by": by, "at": now.isoformat(), "overrides": released})
        self._plan_hash = plan_hash

    def trim(self) -> None:
        """Take a last line away that is not whole, before anything is added. Only whoever holds the lease may.

        Raises:
            ConfigurationError: The journal cannot be written.
            Conflict: Somebody else wrote to it since it was opened.
        """
        if self._size == self._whole:
            return
        try:
            with os.fdopen(os.open(self._file, os.O_WRONLY), "wb") as file:
                self._require_as_left(file.fileno())
                file.truncate(self._whole)
                os.fsync(file.fileno())
        except OSError as exc:
            raise self._unusable("written", exc) from exc
        self._size = self._whole

    def intend(self, numbers: Sequence[int], *, batch: str, now: datetime) -> None:
        """Note which steps are about to be taken, before they are.

        Args:
            numbers: Their numbers.
            batch: The name of the call that takes them.
            now: The time, UTC.

        Raises:
            ConfigurationError: The journal cannot be written.
            Conflict: Somebody else wrote to it since it was opened.
        """
        self._add({"intended": list(numbers), "batch": batch, "at": now.isoformat()})
        self._intend(numbers, batch, now)

    def note(self, done: Sequence[Done]) -> None:
        """Note what became of steps.

        Raises:
            ConfigurationError: The journal cannot be written.
            Conflict: Somebody else wrote to it since it was opened.
        """
        if done:
            self._add({"done": [_members(one) for one in done]})
            self._note(done)

    def forget(self, batch: str) -> None:
        """Note that a call was not carried out and never will be.

        Raises:
            ConfigurationError: The journal cannot be written.
            Conflict: Somebody else wrote to it since it was opened.
        """
        self._add({"not_done": batch})
        self.unanswered.pop(batch, None)

    def _intend(self, numbers: Sequence[int], batch: str, at: datetime | None) -> None:
        if at is not None:
            self.intended_at[batch] = at
        self.unanswered[batch] = (*self.unanswered.get(batch, ()), *numbers)

    def _note(self, done: Sequence[Done]) -> None:
        self.done |= {one.number: one for one in done}
        answered = {one.number for one in done}
        left = {batch: tuple(n for n in numbers if n not in answered) for batch, numbers in self.unanswered.items()}
        self.unanswered = {batch: numbers for batch, numbers in left.items() if numbers}

    def _read(self) -> None:
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as exc:
            raise self._unusable("read", exc) from exc
        self._size, self._whole = len(data), data.rfind(b"\n") + 1
        for line in data[: self._whole].splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as exc:
                raise ConfigurationError(f"The journal {self._file} is damaged.", _SAFE) from exc

    def _take(self, line: Mapping[str, Any]) -> None:
        if "begun" in line:
            self._plan_hash = str(line["begun"])
        elif "intended" in line:
            at = line.get("at")  # a journal of before has none
            self._intend(
                [int(number) for number in line["intended"]],
                str(line["batch"]),
                None if at is None else datetime.fromisoformat(at),
            )
        elif "not_done" in line:
            self.unanswered.pop(str(line["not_done"]), None)
        else:
            self._note(list(_done(line["done"])))

    def _add(self, line: Mapping[str, object]) -> None:
        """Add a line to the file, on disk."""
        data = json.dumps(line).encode() + b"\n"
        try:
            with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
                self._require_as_left(file.fileno())
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if not self._size:
                self._keep_name()
        except OSError as exc:
            raise self._unusable("written", exc) from exc
        self._size += len(data)
        self._whole = self._size

    def _require_as_left(self, file: int) -> None:
        """Refuse to write where somebody else did: what this process knows is not what was done any more.

        Raises:
            Conflict: It is so.
        """
        if os.fstat(file).st_size != self._size:
            raise Conflict(
                f"Somebody else goes on with this repair: {self._file} is not as this process left it.",
                "Nothing is lost: `twinstore repair list` says how it ended; if it has not, apply it again.",
            )

    def _keep_name(self) -> None:
        """Have the folder remember a new file."""
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unusable(self, how: str, exc: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The journal {self._file} cannot be {how}: {exc.strerror}.",
            "Mend that, and apply the repair again: it goes on where it stopped.",
        )


def _members(done: Done) -> dict[str, object]:
    row = None if done.row is None else dict(done.row)
    told = {"number": done.number, "outcome": done.outcome, "row": row, "code": done.code, "rule": done.rule}
    return {name: value for name, value in told.items() if value is not None}


def _done(listed: Sequence[Mapping[str, Any]]) -> Iterator[Done]:
    for one in listed:
        yield Done(
            number=int(one["number"]),
            outcome=Mended(one["outcome"]),
            row=one.get("row"),
            code=one.get("code"),
            rule=one.get("rule"),
        )
