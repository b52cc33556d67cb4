"""The catalogue: all faults, all decoys, all pairs."""

from __future__ import annotations

from contracts.errors import ConfigurationError
from storage.local.faults.adopted import ADOPTED, ADOPTED_DECOYS
from storage.local.faults.broken_rules import BROKEN_RULES
from storage.local.faults.columns import COLUMNS
from storage.local.faults.decoys import DECOYS, WITHOUT_DECOY
from storage.local.faults.edits import HOSTILE, ROGUE
from storage.local.faults.encodings import ENCODINGS
from storage.local.faults.ids import IDS
from storage.local.faults.instants import INSTANTS
from storage.local.faults.model import Fault
from storage.local.faults.pairs import pairs
from storage.local.faults.rows import ROWS_MISSING
from storage.local.faults.tables import TABLES
from storage.local.faults.texts import TEXTS

__all__ = ["ADOPTED", "ADOPTED_DECOYS", "DECOYS", "FAULTS", "PAIRS", "SECTIONS", "WITHOUT_DECOY", "fault"]

SECTIONS: tuple[tuple[str, tuple[Fault, ...]], ...] = (
    ("Rows that one store lacks", ROWS_MISSING),
    ("Keys and references", IDS),
    ("JSON written otherwise", ENCODINGS),
    ("Columns left behind", COLUMNS),
    ("Times", INSTANTS),
    ("Texts", TEXTS),
    ("Edits by hand", ROGUE),
    ("Hostile texts", HOSTILE),
    ("Rules broken on both stores", BROKEN_RULES),
    ("Tables that are wrong as a whole", TABLES),
)
"""The faults by theme, in the order of the page."""

FAULTS: tuple[Fault, ...] = tuple(fault for _, faults in SECTIONS for fault in faults)
"""Every fault, decoys and pairs apart."""

_BY_ID = {fault.id: fault for fault in (*FAULTS, *DECOYS)}

PAIRS: tuple[Fault, ...] = pairs(_BY_ID)
"""Two faults on one row, each pair as one fault."""


def fault(name: str) -> Fault:
    """Return the fault, decoy or pair with this id.

    Raises:
        ConfigurationError: There is none.
    """
    for known in (*FAULTS, *DECOYS, *PAIRS, *ADOPTED, *ADOPTED_DECOYS):
        if known.id == name:
            return known
    raise ConfigurationError("There is no such fault.", "`python -m storage.local.faults` lists them.")
