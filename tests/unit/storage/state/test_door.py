"""The door of the memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

import storage.state


def test_the_door_loads_no_driver() -> None:
    """Importing it costs nothing; SQLAlchemy comes with the first use."""
    program = "import sys, storage.state; print([m for m in ('sqlalchemy', 'psycopg', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_door_exports_what_it_names() -> None:
    """Every exported name is there, and an unknown one is refused as usual."""
    assert all(getattr(storage.state, name) for name in storage.state.__all__)
    with pytest.raises(AttributeError):
        storage.state.nothing_like_this  # noqa: B018 - the access is the test
