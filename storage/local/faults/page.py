"""The catalogue as a page for people, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from storage.local.faults.catalogue import ADOPTED, ADOPTED_DECOYS, DECOYS, PAIRS, SECTIONS, WITHOUT_DECOY
from storage.local.faults.model import Expected, Fault

_INTRO = """\
# The fault catalogue

Everything that is known to go wrong between the two stores. Each fault can be planted in an embedded pair, and must
be found: the tests plant them one by one and compare what the check says with this page. The page is made from the
catalogue by `python -m storage.local.faults`.

- **Found as** is the kind of difference with its fields, or that the stores agree; `equal in canonical form` means that
  a value is written in two ways and is the same.
- **Cause** is the cause that must be named; none stands where the stores agree.
- **Rules** are the contract rules that fail because of it, with the store.
- **Verdict** is what the run says when this is the only fault: passed and warned exit with 0, failed with 1.
"""
_HEAD = "| fault | what is wrong | why it happens | found as | cause | rules | verdict |\n|---|---|---|---|---|---|---|"
_DECOYS = """\
A decoy looks like a cause and is none: it must come out as `unexplained`, or as `missing_row` where a row is missing.
A cause that explains it would be guessing."""
_PAIRS = "Two faults on one row: both causes must be named."
_ADOPTED = """\
Faults of two stores that replicate. A difference keeps its cause; its *place* says how it stands: whether its change
waits to be carried over, waits for a person, or was lost. What is under way for no longer than it may is counted apart.
The last of them are decoys: they look like a fault of replication and are none."""


def to_markdown() -> str:
    """Return the whole page, with a newline at its end."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRO
    for title, faults in SECTIONS:
        yield from (f"## {title}", "", _HEAD, *_rows(faults), "")
    yield from ("## Decoys", "", _DECOYS, "", _HEAD, *_rows(DECOYS), "", "Without a decoy:", "")
    yield from (f"- `{cause}`: {reason}" for cause, reason in WITHOUT_DECOY.items())
    yield from ("", "## Pairs", "", _PAIRS, "", _HEAD, *_rows(PAIRS))
    yield from ("", "## Stores that replicate", "", _ADOPTED, "", _HEAD, *_rows((*ADOPTED, *ADOPTED_DECOYS)))


def _rows(faults: Iterable[Fault]) -> Iterator[str]:
    for fault in faults:
        expects = fault.expects
        cells = (
            f"`{fault.id}`",
            fault.title,
            fault.origin,
            _found(expects),
            ", ".join(f"`{cause}`" for cause in sorted(expects.causes)),
            ", ".join(f"`{check}` ({store})" for check, store in sorted(expects.checks)),
            str(expects.verdict),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _found(expects: Expected) -> str:
    words = []
    if expects.kind:
        fields = ", ".join(f"`{field}`" for field in sorted(expects.fields))
        words.append(f"{expects.kind}: {fields}" if fields else str(expects.kind))
    if expects.place:
        words.append(f"place `{expects.place}`")
    if expects.pending:
        words.append("under way")
    if expects.conflicts and not expects.place:
        words.append("an open conflict")
    if expects.representation:
        words.append("equal in canonical form")
    if expects.excluded:
        words.append("excluded on prisma")
    return ", ".join(words) or "the stores agree"
