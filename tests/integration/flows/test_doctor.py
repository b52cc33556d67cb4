"""What the doctor says of real stores, sound and not."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from flows.doctor import State, examine
from flows.settings import load_settings
from tests.support.servers import Pair


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
    assert {"prisma", "supabase", "memory", "settings"} == {s.about for s in symptoms}
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
