"""What the doctor says of real stores, sound and not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from contracts.vocabulary import Channel, StoreName
from flows.doctor import State, examine
from flows.replicating import Replication
from flows.settings import load_settings
from flows.sync import carry
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, adopted_as_equal, keys, run, titled, work_on


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair) -> Pair:
    """A pair that the environment names."""
    monkeypatch.setenv("DATABASE_URL", pair.primary)
    monkeypatch.setenv("SUPABASE_DB_URL", pair.secondary)
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "home"))
    return pair


def bad(about: str) -> list[str]:
    """Return what is bad about something, with what to do."""
    return [f"{s.text} {s.todo}" for s in examine(load_settings()) if s.about == about and s.state is State.BAD]


def test_sound_stores_have_nothing_bad(configured: Pair) -> None:
    """Both stores are readable and migrated, the memory is durable, and each says what its channel can do."""
    symptoms = examine(load_settings())
    assert [s for s in symptoms if s.state is State.BAD] == []
    assert {"prisma", "supabase", "sync", "memory", "settings"} == {s.about for s in symptoms}
    assert any("The channel sql allows: check" in s.text for s in symptoms)


def test_a_missing_grant_is_told_with_the_grant(configured: Pair) -> None:
    """The sentence to run is part of what to do."""
    with psycopg.connect(configured.primary_superuser) as connection:
        connection.execute("ALTER TABLE public.planning OWNER TO CURRENT_USER")
        connection.execute("REVOKE ALL ON public.planning FROM app")
    (sentence,) = bad("prisma")
    assert "GRANT SELECT ON public.planning TO app" in sentence


def test_hidden_rows_are_told(configured: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role under row level security is told that nothing will be compared."""
    with psycopg.connect(configured.secondary_superuser) as connection:
        connection.execute("ALTER ROLE postgres NOBYPASSRLS")
        connection.execute("ALTER TABLE public.planning FORCE ROW LEVEL SECURITY")
    try:
        assert any("hidden" in sentence for sentence in bad("supabase"))
    finally:
        with psycopg.connect(configured.secondary_superuser) as connection:
            connection.execute("ALTER ROLE postgres BYPASSRLS")


def test_a_url_that_cannot_be_used_ends_the_examination(configured: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence about the setting; the stores are not guessed at."""
    monkeypatch.setenv("DATABASE_URL", "mysql://canary@h/db")
    symptoms = examine(load_settings())
    assert symptoms[-1].state is State.BAD
    assert "canary" not in str(symptoms)


def test_unknown_parameters_of_a_url_are_named(configured: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is said."""
    monkeypatch.setenv("DATABASE_URL", f"{configured.primary}&colour=blue")
    assert any("colour" in s.text for s in examine(load_settings()) if s.about == "prisma")


def test_a_damaged_memory_is_told(configured: Pair, tmp_path: Path) -> None:
    """A state file that is no database is bad, and is left as it is."""
    load_settings().home.mkdir(mode=0o700)
    state = tmp_path / "home" / "state.sqlite"
    state.write_bytes(b"no database" * 100)
    assert bad("memory")
    assert state.read_bytes() == b"no database" * 100


@contextmanager
def replicating(pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replication]:
    """Let changes of a pair be carried over."""
    with work_on(pair, Channel.SQL, home, monkeypatch) as work:
        adopted_as_equal(work)
        yield work.replications[0]


def of_sync() -> list[tuple[State, str]]:
    """Return what is said of replication, with what to do."""
    return [(s.state, f"{s.text} {s.todo}") for s in examine(load_settings()) if s.about == "sync"]


def test_stores_that_were_not_adopted_are_a_note(configured: Pair) -> None:
    """Nobody has to replicate; who wants to is told how."""
    ((state, text),) = of_sync()
    assert state is State.NOTE
    assert "are not captured, and nothing is carried over" in text
    assert "twinstore adopt" in text


def test_what_waits_for_a_person_is_told(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts and dead letters are noted with the command that lists them; replication itself is good."""
    with replicating(seeded_pair, home, monkeypatch) as replication:
        one, other = keys(seeded_pair, 2)
        for store in StoreName:
            titled(seeded_pair, store, one, f"of {store}")
        run(seeded_pair, StoreName.PRISMA, f"UPDATE {TABLE} SET status = 'no such status' WHERE id = %s", other)
        carry(replication.both()[2])
        (good, text), (_, conflicts), (_, letters) = of_sync()
        assert (good, "are captured and may be carried over" in text) == (State.GOOD, True)
        assert "twinstore sync conflicts list" in conflicts
        assert "twinstore sync dead-letters list" in letters


def test_a_gap_and_functions_of_another_version_are_bad(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both keep changes from being carried over, and say what to do."""
    with replicating(seeded_pair, home, monkeypatch):
        run(seeded_pair, StoreName.PRISMA, f"TRUNCATE {TABLE}")
        ((state, text),) = of_sync()
        assert (state, "(truncated)" in text) == (State.BAD, True)
        run(seeded_pair, StoreName.SUPABASE, "DROP FUNCTION public.twinstore_planning_standing(jsonb)")
        ((state, text),) = of_sync()
        assert (state, "twinstore migrate" in text) == (State.BAD, True)
