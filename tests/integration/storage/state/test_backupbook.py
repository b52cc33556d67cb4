"""What is remembered of backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.alerts import Backup
from storage.state import State

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_what_lies_in_the_future_does_not_hide_the_past(state: State) -> None:
    """As after a clock was ahead; a drill with a flaw takes its backup back."""
    assert state.backups.known(NOW) is None
    earlier = NOW - timedelta(days=1)
    state.backups.verified("ahead", NOW + timedelta(days=3650), made_at=NOW)
    assert state.backups.known(NOW) == Backup(verified_at=None)
    state.backups.verified("good", earlier, made_at=earlier)
    state.backups.verified("damaged", None, made_at=NOW)
    assert state.backups.known(NOW) == Backup(verified_at=earlier)
