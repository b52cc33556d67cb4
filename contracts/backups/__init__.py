"""The values of backups: what one is, what a drill found, which ones stay, what a restore does."""

from contracts.backups.restoration import Beside, Restoration, RowChanges
from contracts.backups.retention import Kept, made_at, plan_prune
from contracts.backups.values import (
    FORMAT,
    Damage,
    DatasetContent,
    Flaw,
    Form,
    KeptBackup,
    KeptSide,
    Manifest,
    Outside,
    Shape,
    TableContent,
    Verification,
)

__all__ = [
    "FORMAT",
    "Beside",
    "Damage",
    "DatasetContent",
    "Flaw",
    "Form",
    "Kept",
    "KeptBackup",
    "KeptSide",
    "Manifest",
    "Outside",
    "Restoration",
    "RowChanges",
    "Shape",
    "TableContent",
    "Verification",
    "made_at",
    "plan_prune",
]
