"""What is said where a check does not carry a plan of repair."""

from __future__ import annotations

from dataclasses import replace

from contracts.verdicts import Reason
from contracts.vocabulary import Verdict
from flows.repair.findings import blind, remedy
from tests.support.factories import make_dataset


def test_steady_writes_are_told_from_what_has_to_be_mended() -> None:
    """Nothing can be mended about rows that go on changing: a quieter hour helps, or an earlier run."""
    sound = make_dataset()
    reason = Reason(verdict=Verdict.INCOMPLETE, text="9 rows kept changing while they were compared")
    busy = replace(sound, rows=replace(sound.rows, matched=4_991, deferred=9), reasons=(reason,))
    assert blind(busy) == reason.text
    assert "when less is written, or say `--run`" in remedy(busy)
    broken = replace(busy, reasons=(*busy.reasons, Reason(verdict=Verdict.ERRORED, text="A fault was missed")))
    hidden = replace(sound, reasons=(Reason(verdict=Verdict.INCOMPLETE, text="rows may be hidden"),))
    assert remedy(broken) == remedy(hidden) == "Mend that first; a repair rests on a complete check."
