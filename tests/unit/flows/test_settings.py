"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import ConfigurationError
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from flows.settings import load_settings
from flows.wiring import find_stores, mask_key

PRIMARY = "postgresql://app:canary-one@h/db?schema=app"
SECONDARY = "postgresql://postgres:canary-two@h2/postgres"


def test_nothing_set_means_the_embedded_pair() -> None:
    """Without a store in the environment twinstore uses its own."""
    assert load_settings().embedded


def test_placeholders_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An example file that was only copied is as good as none."""
    for name in ("DATABASE_URL", "SUPABASE_URL", "SUPABASE_DB_URL"):
        monkeypatch.setenv(name, "PLEASE_SET_IN_ENV_LOCAL")
    assert load_settings().embedded


def test_both_stores_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both URLs make a pair; the schema of the primary's URL is that of its table; no secret is shown."""
    monkeypatch.setenv("DATABASE_URL", PRIMARY)
    monkeypatch.setenv("SUPABASE_DB_URL", SECONDARY)
    monkeypatch.setenv("TWINSTORE_ENVIRONMENT", "production")
    settings = load_settings()
    stores = find_stores(settings)
    assert (stores.environment, stores.embedded) == ("production", False)
    assert stores.dataset(PLANNING).tables == {
        StoreName.PRISMA: ("app", "planning"),
        StoreName.SUPABASE: ("public", "planning"),
    }
    assert "canary" not in repr(settings) + repr(stores)


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("DATABASE_URL", PRIMARY, "SUPABASE_DB_URL"),
        ("SUPABASE_DB_URL", SECONDARY, "DATABASE_URL"),
        ("SUPABASE_URL", "https://abc.supabase.co", "DATABASE_URL"),
    ],
)
def test_one_store_alone_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, missing: str) -> None:
    """Half a pair is a mistake, never a reason to fall back to the embedded one."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{missing} (is not set|leads)"):
        find_stores(load_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWINSTORE_GRACE_S", "-1"),
        ("TWINSTORE_GRACE_S", "soon"),
        ("TWINSTORE_RECHECK_ROUNDS", "0"),
        ("TWINSTORE_STATEMENT_TIMEOUT_S", "0"),
        ("TWINSTORE_BACKUPS_KEEP_DAYS", "inf"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The sentence names the setting, not its value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings()


def test_the_mask_key_is_made_once_for_its_owner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same key hashes the same values alike from run to run; nobody else can read it."""
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "home"))
    key = mask_key(load_settings())
    assert (len(key), mask_key(load_settings())) == (32, key)
    assert (tmp_path / "home" / "mask.key").stat().st_mode & 0o777 == 0o600


def test_a_home_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file in the way is one sentence, not a traceback."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TWINSTORE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigurationError, match="cannot be made"):
        mask_key(load_settings())
