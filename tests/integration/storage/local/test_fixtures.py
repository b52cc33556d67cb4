"""The servers and databases that other tests stand on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest

from tests.integration.storage.local.conftest import child
from tests.support.servers import SEEDED, Pair, Servers


def test_servers_have_the_two_versions(servers: Servers) -> None:
    """The primary is PostgreSQL 16 and the secondary 18."""
    versions = []
    for server in (servers.primary, servers.secondary):
        with psycopg.connect(server.dsn()) as connection:
            versions.append(connection.info.server_version // 10000)
    assert versions == [16, 18]


def test_empty_pair_holds_no_table(empty_pair: Pair) -> None:
    """Both databases start without tables in the schema public."""
    for dsn in (empty_pair.primary, empty_pair.secondary):
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row == (0,)


@pytest.mark.parametrize("_round", [1, 2])
def test_pairs_do_not_share_rows(pair: Pair, _round: int) -> None:
    """What one test writes, the next one does not see."""
    for dsn in (pair.primary, pair.secondary):
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM planning").fetchone() == (0,)
            connection.execute(
                "INSERT INTO planning (id, type, title, content, updated_at)"
                " VALUES ('6f2c4e0a-1d3b-4c5d-8e7f-90a1b2c3d4e5', 'story', 't', '{}', now())"
            )


def test_seeded_pair_holds_the_same_records(seeded_pair: Pair) -> None:
    """Both stores hold the seeded records under the same keys."""
    keys = []
    for dsn in (seeded_pair.primary, seeded_pair.secondary):
        with psycopg.connect(dsn) as connection:
            keys.append({str(row[0]) for row in connection.execute("SELECT id::text FROM planning")})
    assert len(keys[0]) == SEEDED
    assert keys[0] == keys[1]


def test_servers_end_with_a_killed_test_process() -> None:
    """Servers and their folder are gone soon after kill -9 of the process that started them."""
    code = (
        "import time\n"
        "from tests.support.servers import running_servers\n"
        "with running_servers() as servers:\n"
        "    print(servers.primary.folder.parent, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with child(code) as tests:
        assert tests.stdout is not None
        folder = Path(tests.stdout.readline().strip())
        pids = [
            int((folder / name / "data/postmaster.pid").read_text().split()[0]) for name in ("primary", "secondary")
        ]
        tests.kill()
    deadline = time.monotonic() + 60
    while (folder.exists() or any(map(_lives, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    assert not any(map(_lives, pids))


def test_no_setting_of_the_user_reaches_the_tests() -> None:
    """Stores of the user are out of reach for every test, and telemetry is off."""
    assert not [name for name in os.environ if name.startswith(("DATABASE_URL", "SUPABASE_", "PG"))]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert str(Path.home()) not in os.environ["PREFECT_HOME"]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
