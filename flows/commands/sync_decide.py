"""`twinstore sync conflicts` and `twinstore sync dead-letters`: what only a person can decide."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from contracts.errors import ConfigurationError
from contracts.replication import Conflict, DeadLetter
from contracts.vocabulary import StoreName
from flows.commands.check import progress_line
from flows.commands.common import confirmed, out
from flows.commands.sync_show import moment
from flows.deciding import canonical, chosen, discard, discretion, letters, resolve_all, sentence, shown, side_by_side
from flows.opening import Opened, opened
from flows.replicating import Replication
from flows.wiring import mask_key

SHOWN = 1000
KEEP = ("primary", "secondary")
CONFLICT = ("open conflict", "conflicts")
LETTER = ("dead letter", "dead-letters")


def conflicts_list_command(dataset: str | None, *, everything: bool, as_json: bool) -> None:
    """Print conflicts; exit code 1 when some are open."""
    found: list[tuple[str, Conflict]] = []
    with opened(dataset, alone=True) as work:
        for replication in work.replications:
            kept = replication.book.conflicts(resolved=everything, at_most=SHOWN)
            found += [(replication.dataset.name, conflict) for conflict in kept]
    if as_json:
        _write([_conflict(name, conflict) for name, conflict in found])
    else:
        _print_conflicts(found)
    sys.exit(1 if any(conflict.resolved_at is None for _, conflict in found) else 0)


def conflicts_show_command(key: str, dataset: str | None, *, as_json: bool) -> None:
    """Print the conflicts of a key field by field, personal values masked unless the settings reveal them."""
    with _one(dataset) as (work, replication):
        known = canonical(replication.dataset, key)
        open_ones = replication.book.conflicts(keys=[known], at_most=SHOWN)
        _require_all(replication, [known], {conflict.key for conflict in open_ones}, CONFLICT)
        who, secret = discretion(work.settings), mask_key(work.settings)
        documents = []
        for conflict in open_ones:
            found = side_by_side(replication, conflict)
            fields = list(shown(found, who, secret))
            if as_json:
                values = [{"field": f, "primary": v[0], "secondary": v[1]} for f, _, v in fields]
                entry = _conflict(replication.dataset.name, conflict)
                documents.append(entry | {"primary_has_row": found.there, "same": found.same, "fields": values})
            else:
                _print_fields(conflict, sentence(found), [(f, *texts) for f, texts, _ in fields], same=found.same)
    if as_json:
        _write(documents)


def conflicts_resolve_command(keys: list[str] | None, dataset: str | None, *, keep: str, everything: bool) -> None:
    """Decide conflicts; what is decided is carried over by the relay."""
    if keep not in KEEP:
        raise ConfigurationError(f"There is no side {keep!r} to keep.", "Say --keep primary or --keep secondary.")
    from reports.text import count

    with _one(dataset) as (_, replication), progress_line() as progress:
        meant = chosen(replication.dataset, keys, everything=everything)
        _require_all(replication, meant, replication.book.disputed(meant or ()), CONFLICT)
        decided = resolve_all(
            replication, meant, keep=keep, progress=lambda number: progress(f"{count(number, 'conflict')} decided")
        )
    out().print(f"{count(decided, 'conflict')} decided: the row of the {keep} stays. The relay carries it over.")
    _told_all(decided, meant)


def letters_list_command(dataset: str | None, *, everything: bool, as_json: bool) -> None:
    """Print dead letters; exit code 1 when there are some."""
    found: list[tuple[str, DeadLetter]] = []
    with opened(dataset, alone=True) as work:
        for replication in work.replications:
            kept = replication.book.letters(dead_only=not everything, at_most=SHOWN)
            found += [(replication.dataset.name, letter) for letter in kept]
    if as_json:
        _write([_letter(name, letter) for name, letter in found])
    else:
        _print_letters(found)
    sys.exit(1 if any(letter.dead_at for _, letter in found) else 0)


def letters_retry_command(keys: list[str] | None, dataset: str | None, *, everything: bool) -> None:
    """Have dead letters tried again."""
    with _one(dataset) as (_, replication):
        meant = chosen(replication.dataset, keys, everything=everything)
        _require_all(replication, meant, _dead(replication, meant), LETTER)
        number = replication.book.retry(meant)
    are = "change is" if number == 1 else "changes are"
    out().print(f"{number:,} {are} tried again by the next run of the relay.")
    _told_all(number, meant)


def letters_discard_command(keys: list[str] | None, dataset: str | None, *, everything: bool, yes: bool) -> None:
    """Give changes up for good, after asking."""
    from reports.text import count

    with _one(dataset) as (_, replication):
        meant = chosen(replication.dataset, keys, everything=everything)
        _require_all(replication, meant, _dead(replication, meant), LETTER)
        found = letters(replication, meant)
        done = Counter[str]()
        if found:
            confirmed(
                f"Never carried over: {count(len(found), 'change')}. {StoreName.SUPABASE}'s row is kept as a conflict.",
                yes=yes,
            )
            done = discard(replication, found)
    out().print(f"Given up, and kept as conflicts: {count(done['done'], 'change')}.")
    if done["nothing"]:
        out().print(f"Given up before, or carried over: {count(done['nothing'], 'change')}. Nothing of it waits.")
    if done["newer"]:
        left = count(done["newer"], "record")
        out().print(
            f"Left alone, since it has changed since it was refused: {left}. The relay tries it again by itself."
        )
    _told_all(done["done"], meant)


@contextmanager
def _one(dataset: str | None) -> Iterator[tuple[Opened, Replication]]:
    """Open the one dataset that is meant.

    Raises:
        ConfigurationError: There are several.
    """
    with opened(dataset, alone=True) as work:
        if len(work.replications) > 1:
            names = ", ".join(replication.dataset.name for replication in work.replications)
            raise ConfigurationError("Several datasets are replicated.", f"Say --dataset with one of {names}.")
        yield work, work.replications[0]


def _require_all(
    replication: Replication, meant: Sequence[str] | None, known: Collection[str], what: tuple[str, str]
) -> None:
    """Refuse keys of which there is nothing to decide, before anything is done about the others.

    Raises:
        ConfigurationError: There is such a key.
    """
    noun, command = what
    if lost := [key for key in meant or () if key not in known]:
        others = f" and {len(lost) - 1:,} more of these keys" if len(lost) > 1 else ""
        raise ConfigurationError(
            f"There is no {noun} of {lost[0]!r}{others} in {replication.dataset.name}, and nothing was done.",
            f"`twinstore sync {command} list` lists them.",
        )


def _dead(replication: Replication, meant: Sequence[str] | None) -> set[str]:
    return {key for key, _ in replication.book.dead(meant or ())}


def _told_all(number: int, meant: tuple[str, ...] | None) -> None:
    """Exit with code 1 when nothing was done about the keys that were named, such as by somebody else meanwhile."""
    sys.exit(1 if meant is not None and number == 0 else 0)


def _write(found: list[Any]) -> None:
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _conflict(dataset: str, conflict: Conflict) -> dict[str, Any]:
    """Return a conflict for machines, without the row."""
    return {
        "dataset": dataset,
        "id": conflict.id,
        "key": conflict.key,
        "kind": conflict.kind,
        "found_at": conflict.found_at.isoformat(),
        "deleted_on_secondary": conflict.loser is None,
        "resolved_at": conflict.resolved_at and conflict.resolved_at.isoformat(),
        "kept": conflict.resolution,
    }


def _letter(dataset: str, letter: DeadLetter) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "key": letter.key,
        "direction": letter.direction,
        "code": letter.code,
        "rule": letter.rule,
        "attempts": letter.attempts,
        "first_at": letter.first_at.isoformat(),
        "dead_at": letter.dead_at and letter.dead_at.isoformat(),
    }


def _print_conflicts(found: list[tuple[str, Conflict]]) -> None:
    from reports.text import one_line

    console = out()
    for name, conflict in found:
        state = f"decided {moment(conflict.resolved_at)}: {conflict.resolution}" if conflict.resolved_at else "open"
        deleted = ", deleted on the secondary" if conflict.loser is None else ""
        console.print(
            f"{name} {one_line(conflict.key)} {conflict.kind}, found {moment(conflict.found_at)}{deleted}: {state}",
            soft_wrap=True,
        )
    _print_end(len(found), "conflicts")


def _print_letters(found: list[tuple[str, DeadLetter]]) -> None:
    from reports.text import one_line

    console = out()
    for name, letter in found:
        rule = f" by {one_line(letter.rule)}" if letter.rule else ""
        state = f"given up {moment(letter.dead_at)}" if letter.dead_at else "tried again"
        console.print(
            f"{name} {one_line(letter.key)} {letter.direction}: refused with SQLSTATE {letter.code}{rule}, "
            f"{letter.attempts} times since {moment(letter.first_at)}; {state}",
            soft_wrap=True,
        )
    _print_end(len(found), "dead letters")


def _print_end(number: int, noun: str) -> None:
    if number == 0:
        out().print(f"There are no {noun}.")
    elif number >= SHOWN:
        out().print(f"There may be more {noun} than these {SHOWN:,}.")


def _print_fields(conflict: Conflict, text: str, fields: list[tuple[str, str, str]], *, same: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from reports.text import one_line

    console = out()
    console.print(f"{one_line(conflict.key)}, found {moment(conflict.found_at)}", style="bold", soft_wrap=True)
    console.print(text, soft_wrap=True)
    if same:
        console.print("Both are the same by now: either decision will do.")
    if fields:
        table = Table("field", f"{StoreName.PRISMA} now", f"{StoreName.SUPABASE} then", box=None, pad_edge=False)
        for row in fields:
            table.add_row(*(Text(one_line(cell, 240)) for cell in row))
        console.print(table)
