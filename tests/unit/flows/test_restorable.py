"""Which backups may be restored when they are confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.backups import Damage, Flaw, KeptBackup, Verification
from contracts.errors import ConfigurationError, Refused
from contracts.vocabulary import StoreName
from flows.restorable import Wanted, require_confirmation

PRISMA, SUPABASE = StoreName
FLAW = Flaw(damage=Damage.MISSING_FILE, text="The file supabase.dump is missing.")
DRILL = Verification(at=datetime(2026, 1, 1, tzinfo=UTC), seconds=1.0, seal="", proven=(PRISMA,))
BACKUP = KeptBackup(id="20260101T000000000Z-abcd", manifest=None)
WANTED = Wanted(backup=None, store=PRISMA, confirm=BACKUP.id)


def test_each_side_counts_for_itself() -> None:
    """What a drill found on one side does not take the other away."""
    half = replace(BACKUP, verification=replace(DRILL, flaws=(FLAW,)))
    require_confirmation(half, WANTED)
    with pytest.raises(Refused, match=r"is damaged, as the last drill found: The file supabase\.dump is missing"):
        require_confirmation(half, replace(WANTED, store=SUPABASE))


@pytest.mark.parametrize("drill", [None, *(replace(DRILL, proven=(SUPABASE,), untried=one) for one in ((), (PRISMA,)))])
def test_a_side_that_was_never_tried_is_not_restored(drill: Verification | None) -> None:
    """Whatever the drill of the other one came to; to say what would change needs none."""
    backup = replace(BACKUP, verification=drill)
    with pytest.raises(Refused, match=r"prisma of the backup .* was never proven to restore"):
        require_confirmation(backup, WANTED)
    require_confirmation(backup, replace(WANTED, confirm=None))


def test_an_empty_confirmation_is_another_one() -> None:
    """As of a variable that is not set: it is refused, and not taken for none."""
    with pytest.raises(ConfigurationError, match="and '' was confirmed"):
        require_confirmation(replace(BACKUP, verification=DRILL), replace(WANTED, confirm=""))
