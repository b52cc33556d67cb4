"""Connections of a store that went away and came back."""

from __future__ import annotations

from contracts.planning import PLANNING
from storage.migrations.values import Side
from storage.replication.by_sql import SqlCall
from storage.replication.doors import PrimaryDoors
from tests.support.replication import World


def test_no_connection_is_left_behind(stores: World) -> None:
    """One that is in use while another one is found broken is closed when it is given back."""
    call = SqlCall(stores.pair.primary, PLANNING, Side.PRIMARY)
    doors = PrimaryDoors(call, PLANNING)
    with call.session() as held:
        with call.session() as idle:
            broken = idle.info.backend_pid
        stores.run(Side.PRIMARY, "SELECT pg_terminate_backend(%s)", broken)
        while stores.ask(Side.PRIMARY, "SELECT FROM pg_stat_activity WHERE pid = %s", broken):
            pass
        assert doors.standing().since is not None
    doors.close()
    assert held.closed
