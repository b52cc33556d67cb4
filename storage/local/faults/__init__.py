"""The fault catalogue: everything that is known to go wrong between two stores, to be planted and to be found.

Each fault says what it does to which rows and what a check must find because of it. Decoys look like a cause and are
none. Pairs are two faults on one row, of which both must be named. Adopted ones need two stores that replicate.
`python -m storage.local.faults` prints the catalogue as a page.
"""

from storage.local.faults.catalogue import ADOPTED, ADOPTED_DECOYS, DECOYS, FAULTS, PAIRS, WITHOUT_DECOY, fault
from storage.local.faults.inject import inject, inject_adopted, victims
from storage.local.faults.model import Expected, Fault, Injected, Statement, Step, outermost

__all__ = [
    "ADOPTED",
    "ADOPTED_DECOYS",
    "DECOYS",
    "FAULTS",
    "PAIRS",
    "WITHOUT_DECOY",
    "Expected",
    "Fault",
    "Injected",
    "Statement",
    "Step",
    "fault",
    "inject",
    "inject_adopted",
    "outermost",
    "victims",
]
