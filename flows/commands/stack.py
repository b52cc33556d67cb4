"""`twinstore stack`: the embedded pair."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from flows.commands.check import progress_line
from flows.commands.common import out
from flows.settings import Settings, load_settings
from flows.wiring import Stores, find_stores, home

BENCH_HOME = "bench"  # likewise
DEMO_HOME = "demo"  # the demo's own pair, so that it never touches the user's records

if TYPE_CHECKING:
    from storage.local.pair import PairInfo


def up_command() -> None:
    """Start and migrate the pair, and print where it is."""
    settings = _embedded_settings()
    with progress_line() as progress:
        find_stores(settings, progress=progress)
    _show(_status(settings))


def down_command(*, remove: bool) -> None:
    """Stop the pairs that are there, and remove them if that is wanted."""
    from storage.local import LocalPair

    folder = home(load_settings())
    done = "removed" if remove else "stopped"
    for name, where in {"embedded": folder, "demo's": folder / DEMO_HOME, "benchmark's": folder / BENCH_HOME}.items():
        pair = LocalPair(where)
        if where.exists() and pair.status().primary.port is not None:
            pair.remove() if remove else pair.down()
            out().print(f"The {name} pair is {done}.")


def status_command(*, as_json: bool) -> None:
    """Print where the pair is."""
    info = _status(load_settings())
    if as_json:
        facts = {store.value: _facts(info, store) for store in StoreName} | {"rest": _rest_facts(info)}
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    else:
        _show(info)
    sys.exit(0 if info.running else 1)


def keys_command(*, as_json: bool) -> None:
    """Print with what settings a program reaches the secondary of the pair as it would a hosted project."""
    rest = _status(load_settings()).rest
    if rest is None:
        raise ConfigurationError("The embedded pair was never started.", "Run `twinstore stack up`.")
    keys = {
        "SUPABASE_URL": rest.url,
        "SUPABASE_ANON_KEY": rest.anon_key.get_secret_value(),
        "SUPABASE_SERVICE_ROLE_KEY": rest.service_key.get_secret_value(),
        "SUPABASE_PUBLISHABLE_KEY": rest.publishable_key.get_secret_value(),
        "SUPABASE_SECRET_KEY": rest.secret_key.get_secret_value(),
        "SUPABASE_JWT_SECRET": rest.jwt_secret.get_secret_value(),
    }
    lines = json.dumps(keys, indent=2) if as_json else "\n".join(f"{name}={value}" for name, value in keys.items())
    sys.stdout.write(f"{lines}\n")


def seed_command(records: int, *, seed: int, replace: bool) -> None:
    """Fill the pair."""
    settings = _embedded_settings()
    with progress_line() as progress:
        stores = find_stores(settings, progress=progress)
        progress(f"make {records:,} records")
        loaded = fill(stores, records, seed=seed, replace=replace)
    out().print(f"{loaded:,} records in each store.")


def fill(stores: Stores, records: int, *, seed: int = 1, replace: bool = False) -> int:
    """Load records into both stores of an embedded pair; returns how many."""
    from storage.local.seed import clear, load

    primary, secondary = (stores.urls[store].dsn for store in StoreName)
    if replace:
        clear(primary, secondary)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return load(primary, secondary, records, seed=seed, now=now)


def _embedded_settings() -> Settings:
    settings = load_settings()
    if not settings.embedded:
        raise ConfigurationError(
            "Stores of your own are configured, so the embedded pair is not used.",
            "Unset DATABASE_URL, SUPABASE_URL and SUPABASE_DB_URL to use it.",
        )
    return settings


def _status(settings: Settings) -> PairInfo:
    from storage.local import LocalPair

    return LocalPair(home(settings)).status()


def _show(info: PairInfo) -> None:
    console = out()
    for store in StoreName:
        facts = _facts(info, store)
        if facts["port"] is None:
            console.print(f"{store:9} not there; `twinstore stack up` makes it")
            continue
        running = "running" if facts["running"] else "stopped"
        console.print(
            f"{store:9} {running}, PostgreSQL {facts['version']} on {facts['host']}:{facts['port']}, {facts['folder']}",
            soft_wrap=True,
        )
    if info.rest is not None:
        running = "running" if info.rest.running else "stopped"
        console.print(f"{'rest':9} {running}, {info.rest.url}, {info.rest.folder}", soft_wrap=True)


def _rest_facts(info: PairInfo) -> dict[str, object]:
    rest = info.rest
    return {
        "running": rest is not None and rest.running,
        "url": None if rest is None else rest.url,
        "folder": None if rest is None else str(rest.folder),
    }


def _facts(info: PairInfo, store: StoreName) -> dict[str, object]:
    one = info.primary if store is StoreName.PRISMA else info.secondary
    return {
        "running": one.running,
        "version": one.version,
        "host": one.host,
        "port": one.port,
        "folder": str(one.folder),
    }
