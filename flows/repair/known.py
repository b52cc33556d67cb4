"""A plan with all that is known of it: what is remembered, what its file says now, what became of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.repair import Done, Ended, Mended, Plan, Repair
from flows.repair.files import JOURNAL, PLAN, chosen, folder_of
from flows.settings import Settings

if TYPE_CHECKING:
    from storage.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A plan with all that is known of it.

    Attributes:
        repair: What is remembered of it.
        plan: The plan, as its file has it now.
        plan_hash: SHA-256 of that file.
        folder: Where its files are.
        done: What became of its steps, by number; empty for a plan that nobody applied.
        noted: Whether a journal says that it was applied.
        unanswered: Number of steps that were about to be taken, and of which nobody asked yet what became of them.
    """

    repair: Repair
    plan: Plan
    plan_hash: str
    folder: Path
    done: Mapping[int, Done]
    noted: bool = False
    unanswered: int = 0

    @property
    def unknown(self) -> str | None:
        """What is remembered of the repair and its journal does not tell, as a sentence; None where it tells all."""
        told, remembered = Counter(one.outcome for one in self.done.values()), Counter(self.repair.outcomes)
        if self.repair.begun_at is not None and not self.noted:
            what = "is gone"
        elif told.total() < remembered.total() or told[Mended.WRITTEN] < remembered[Mended.WRITTEN]:
            what = f"tells of {told.total():,} of the {remembered.total():,} steps that it took"
        else:
            return None
        return (
            f"The journal of repair {self.repair.id} {what}: nobody knows what it wrote, so that it can be neither "
            "finished, nor verified, nor taken back."
        )

    @property
    def changed(self) -> bool:
        """True when the file is not the one that was made."""
        return self.plan_hash != self.repair.plan_hash

    @property
    def maker(self) -> str:
        """The command that makes such a plan."""
        undoes = self.plan.header.undoes
        return "twinstore repair plan" if undoes is None else f"twinstore repair undo {undoes}"

    def require_open(self) -> None:
        """Refuse to carry out what was carried out before, what does nothing, or what nobody knows how far it went.

        Raises:
            ConfigurationError: It is so.
        """
        if self.repair.ended not in (Ended.PLANNED, Ended.BEGUN):
            what = "was closed before it ended" if self.repair.ended is Ended.CLOSED else "was carried out before"
            raise ConfigurationError(
                f"Plan {self.repair.id} {what}.",
                f"Make a new one with `{self.maker}`; `twinstore repair verify` reads both stores again.",
            )
        if not self.plan.steps and not self.changed:
            raise ConfigurationError(
                f"Plan {self.repair.id} has no steps: there is nothing to carry out.",
                f"`twinstore repair show {self.repair.id}` says what is left to people.",
            )
        self.require_told()

    def require_columns(self, dataset: Dataset, *, more: bool = False) -> None:
        """Refuse a plan that was made under a contract with other columns: it does not say what to write there.

        Args:
            dataset: The dataset, as its contract has it now.
            more: Whether it may have more columns than the plan knows, as where rows are only compared.

        Raises:
            ConfigurationError: It is so.
        """
        then, now = set(self.plan.header.columns), {column.name for column in dataset.columns}
        strange = then - now if more else then ^ now
        if not strange:
            return
        if more:
            todo = (
                "Bring them back into the contract, or correct the rows by hand: "
                f"`twinstore repair show {self.repair.id} --all` shows what each was."
            )
        else:
            todo = f"Make a new plan with `{self.maker}`."
            if self.repair.ended is Ended.BEGUN:
                todo = f"Take back what it wrote with `twinstore repair undo {self.repair.id}`. {todo}"
        raise ConfigurationError(
            f"The contract of {dataset.name} has other columns than when plan {self.repair.id} was made: "
            f"{', '.join(sorted(strange))}.",
            todo,
        )

    def require_told(self) -> None:
        """Refuse to rest anything on a journal that does not tell all that was done.

        Raises:
            ConfigurationError: It is so.
        """
        if self.unknown is not None:
            close = f"; `twinstore repair close {self.repair.id}` ends it as it is"
            raise ConfigurationError(
                self.unknown,
                f"Bring {self.folder / JOURNAL} back from a backup of TWINSTORE_HOME, or correct the rows by hand: "
                f"`twinstore repair show {self.repair.id} --all` shows what each was"
                f"{close if self.repair.ended is Ended.BEGUN else ''}.",
            )

    @property
    def unasked(self) -> str | None:
        """That steps were about to be taken of which nobody knows yet whether they were, as a sentence; else None."""
        if not self.unanswered:
            return None
        steps, was = ("1 step is", "was") if self.unanswered == 1 else (f"{self.unanswered:,} steps are", "were")
        return f"Of repair {self.repair.id} {steps} under way, or {was} when it was killed."

    def require_answered(self) -> None:
        """Refuse to judge a repair of which nobody knows yet what all it wrote.

        Raises:
            ConfigurationError: It is so.
        """
        if self.unasked is not None:
            finish = "`twinstore repair apply` goes on with it; " if self.repair.ended is Ended.BEGUN else ""
            raise ConfigurationError(
                self.unasked,
                f"{finish}`twinstore repair undo {self.repair.id}` finds out what became of them, and takes back only "
                "what is approved.",
            )

    def require_unchanged(self) -> None:
        """Refuse to rest anything on a file that is not the one that was carried out.

        Raises:
            ConfigurationError: It was changed since.
        """
        if self.changed:
            raise ConfigurationError(
                f"The file of plan {self.repair.id} is not the one that was carried out: nobody knows from it what the "
                "rows were.",
                "Bring the file back from a backup of TWINSTORE_HOME, or correct the rows by hand: `twinstore check` "
                "names them.",
            )


def known(settings: Settings, memory: State, beginning: str) -> Known:
    """Return a plan by its id or the beginning of it.

    Raises:
        ConfigurationError: There is no such plan, or its files are gone or damaged.
    """
    from storage.repair.journal import Journal
    from storage.repair.plan_file import read_plan

    repair = chosen(memory, beginning)
    folder = folder_of(settings, repair.id)
    if not folder.is_dir():
        raise ConfigurationError(
            f"The files of plan {repair.id} are not there any more.",
            "Make a new plan with `twinstore repair plan`; what was removed cannot be undone.",
        )
    plan, plan_hash = read_plan(folder / PLAN)
    if plan.header.id != repair.id:
        raise ConfigurationError(
            f"The folder of plan {repair.id} holds another plan.", "Make a new one with `twinstore repair plan`."
        )
    journal = Journal.open(folder)
    return Known(
        repair=repair,
        plan=plan,
        plan_hash=plan_hash,
        folder=folder,
        done=journal.done,
        noted=journal.begun,
        unanswered=len(journal.intended),
    )
