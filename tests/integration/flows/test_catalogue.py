"""Every fault of the catalogue, alone and in pairs: found, on the right store, with its cause, and nothing invented."""

from __future__ import annotations

import pytest

from contracts.verdicts import DatasetReport
from contracts.vocabulary import Cause, CheckSource, CheckStatus
from storage.local.faults import DECOYS, FAULTS, PAIRS, Fault, inject
from tests.support.checking import check, job_of
from tests.support.servers import Pair

ALONE = [fault for fault in (*FAULTS, *DECOYS, *PAIRS) if not fault.exclusive]


def names(report: DatasetReport, key: str) -> frozenset[Cause]:
    """Return the causes that a report names for a key."""
    return frozenset(e.cause for d in report.differences if d.key == key for e in d.explanations)


@pytest.mark.parametrize("fault", ALONE, ids=lambda f: f.id)
def test_a_fault_alone_is_found_with_its_cause_and_nothing_else(seeded_pair: Pair, fault: Fault) -> None:
    """The report names exactly the fault's keys, kind, fields, causes and failing rules, and has its verdict."""
    (planted,) = inject(seeded_pair.primary, seeded_pair.secondary, [fault])
    report = check(job_of(seeded_pair))
    expects = fault.expects
    found = sorted(planted.found) if expects.kind else []
    assert [d.key for d in report.differences] == found, report.reasons
    for difference in report.differences:
        assert difference.kind is expects.kind
        assert names(report, difference.key) == expects.causes
        assert {f.field for f in difference.fields} == expects.fields
    failing = {(c.id, c.store) for c in report.checks if c.status is CheckStatus.FAILED}
    contract = {(c.id, c.store) for c in report.checks if c.source is CheckSource.CONTRACT}
    assert failing & contract == expects.checks
    assert report.rows.excluded == expects.excluded
    assert report.rows.matched_representation == expects.representation
    assert report.verdict is expects.verdict, report.reasons
