"""Why a step did not stay as it was written, or was refused: one sentence, and what a person can do; never a value."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.dataset import Dataset
from contracts.repair import Done, Step
from storage.repair.fields import alike

_REFUSALS = {
    "428C9": "{store} generates the column{rule} itself, so that no such row can be written: make it an ordinary"
    " column, or take it out of the dataset.",
    "42501": "A policy of row level security, or a missing grant, of {store} refuses the row: let the role that ran"
    " `twinstore migrate` own the table, or mend the policy.",
    "TW003": "A trigger of {store} suppresses the write or gives the row another key: mend the trigger.",
    "TW004": "Rows of other tables of {store} would be deleted or changed with this one, by the foreign key{rule}:"
    " decide about those first.",
    "23502": "{store} allows no row without a value in each column that needs one.",
    "23503": "The foreign key{rule} of {store} refuses: a row that this one refers to is missing there, or rows of"
    " other tables refer to this one.",
    "23505": "Another row of {store} has the same value already: the unique constraint{rule} refuses a second one.",
    "23514": "The check constraint{rule} of {store} refuses the row: mend the record, or the constraint.",
    "23P01": "The exclusion constraint{rule} of {store} refuses the row beside another one.",
    "P0001": "A trigger of {store} refuses the row by an error of its own: mend the record, or the trigger.",
}


def why_refused(step: Step, done: Done) -> str:
    """Say why a store refused a step."""
    code = done.code or "without a reason"
    if code.startswith("22"):
        form = "{store} cannot hold a value of the row (SQLSTATE {code})."
    elif code.startswith("P0"):
        form = _REFUSALS["P0001"]
    else:
        form = _REFUSALS.get(code, "{store} refuses the row (SQLSTATE {code}{rule}).")
    return form.format(store=step.store, code=code, rule="" if done.rule is None else f" {done.rule}")


def why_reverted(step: Step) -> str:
    """Say what it means that a row is again as it was before, though no change of it was noted."""
    return (
        f"Something puts the row of {step.store} back as it was, such as another program that writes both stores:"
        " find out what writes it before it is repaired again."
    )


def why_rewritten(dataset: Dataset, step: Step, done: Done, fields: Sequence[str]) -> str:
    """Say why a row was not left as it was written.

    Args:
        dataset: The dataset.
        step: The step.
        done: What became of it, with the row as it was left.
        fields: The columns that are not as they were written.
    """
    if step.after is None:
        return f"A trigger of {step.store} makes the row again when it is deleted: mend the trigger."
    left = done.row or {}
    touched = [name for name in fields if name == dataset.updated]
    filled = [name for name in fields if name not in touched and step.after[name] is None]
    kept = [
        name
        for name in fields
        if name not in (*touched, *filled) and step.before is not None and alike(dataset, name, step.before, left)
    ]
    rest = [name for name in fields if name not in (*touched, *filled, *kept)]
    parts = [
        f"{what} {', '.join(names)}"
        for what, names in (
            ("sets at every write", touched),
            ("fills, by a default or a trigger, what is given without a value:", filled),
            ("keeps as it was", kept),
            ("rewrites", rest),
        )
        if names
    ]
    return (
        f"A trigger of {step.store} stands in the way, since the store {'; '.join(parts)}: let it stand aside while"
        " `twinstore.applying` is on, or repair the other store instead."
    )
