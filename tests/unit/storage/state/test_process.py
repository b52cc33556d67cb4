"""Who is provably dead, and who only may be."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from storage.state.process import Holder, is_dead, this_process

HERE = Holder(host="here", space="boot-2 pid:[1]", pid=os.getpid(), born="")


@pytest.mark.parametrize(
    ("holder", "one_machine", "dead"),
    [
        (replace(HERE, pid=2**22 + 1), False, True),  # no such process
        (replace(HERE, born="1"), False, True),  # the pid belongs to a later process
        (HERE, False, False),
        (replace(HERE, host="elsewhere", pid=2**22 + 1), False, False),
        (replace(HERE, space="boot-2 pid:[7]", pid=2**22 + 1), True, False),  # another container
        (replace(HERE, space="boot-1 pid:[1]"), True, True),  # before the last boot
        (replace(HERE, space="boot-1 pid:[1]"), False, False),  # perhaps a machine of the same name
    ],
)
def test_only_the_provably_dead_are_dead(holder: Holder, *, one_machine: bool, dead: bool) -> None:
    """Where the process table cannot be seen, the holder is taken for alive."""
    assert is_dead(holder, HERE, one_machine=one_machine) is dead


def test_this_process_is_alive() -> None:
    """A process never takes itself for dead."""
    here = this_process()
    assert here.pid == os.getpid()
    assert not is_dead(here, here, one_machine=True)


def test_an_unknown_boot_proves_nothing() -> None:
    """Systems that do not tell their boot are never taken for rebooted."""
    silent = replace(HERE, space="")
    assert not is_dead(silent, HERE, one_machine=True)
