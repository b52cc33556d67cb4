"""Which programs fit, and what of their complaints is passed on."""

from __future__ import annotations

import pytest

from contracts.errors import ConfigurationError
from storage.backup.programs import complaint, drill_version, find_pg_dump


@pytest.mark.parametrize(("server", "major"), [(16, 16), (17, 18), (18, 18)])
def test_the_oldest_program_that_is_not_older_is_taken(server: int, major: int) -> None:
    """One of the server's own version where there is one."""
    assert find_pg_dump(server).major == major


def test_a_server_that_is_newer_than_all_programs_is_refused() -> None:
    """The sentence names the versions that there are."""
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 99 needs a pg_dump 99 or newer; there is .*16\.\d+"):
        find_pg_dump(99)


@pytest.mark.parametrize(("server", "program", "drill"), [(15, 15, 16), (16, 16, 16), (16, 18, 18), (17, 18, 18)])
def test_a_drill_needs_no_older_server(server: int, program: int, drill: int) -> None:
    """Neither than the one that was dumped nor than the pg_dump."""
    assert drill_version(server, program) == drill


def test_a_dump_that_is_newer_than_all_programs_is_refused() -> None:
    """The sentence says into what can be restored."""
    with pytest.raises(ConfigurationError, match="PostgreSQL 16 and 18 only"):
        drill_version(99, 99)


def test_only_the_first_error_is_passed_on() -> None:
    """Without the name of the program, and without the lines that follow."""
    said = "pg_dump: warning: x\npg_dump: error: query failed: ERROR:  permission denied for table a\nDETAIL: b\n"
    assert complaint(said) == "error: query failed: ERROR:  permission denied for table a"
    assert complaint("") == "it did not say why"
