"""Planting faults: which rows become victims, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.local.faults.model import Fault, Injected, Statement, Step
from storage.local.unguarded import checks_off, transaction, triggers_off
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg

_CANDIDATES = """
    SELECT id FROM public.planning
    WHERE ({where}) AND id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' AND id <> ALL(%(taken)s::text[])
    ORDER BY md5(id || %(salt)s), id LIMIT %(rows)s
"""


def victims(primary_dsn: str, fault: Fault, taken: Collection[str] = (), *, seed: int = 1) -> tuple[str, ...]:
    """Choose the rows that a fault takes: the same ones for the same rows, fault and seed. Reads only.

    Args:
        primary_dsn: Connection string of the primary.
        fault: The fault; one that is exclusive takes every row.
        taken: Keys that other faults have taken already.
        seed: Another seed chooses other rows.

    Raises:
        ConfigurationError: The store holds too few rows of the kind that the fault needs.
        Unavailable: The store cannot be reached.
    """
    with transaction(StoreName.PRISMA, primary_dsn) as primary:
        return _choose(primary, fault, taken, seed)


def inject(primary_dsn: str, secondary_dsn: str, faults: Iterable[Fault], *, seed: int = 1) -> list[Injected]:
    """Plant faults on rows of their own, all of them or none.

    The stores should hold equal rows. On the primary the statements run as any application's would; on the secondary
    they run past triggers and checks, as a rogue owner's would, so that the rows hold what the catalogue says.

    Args:
        primary_dsn: Connection string of the primary.
        secondary_dsn: Connection string of the secondary, as the owner of its table.
        faults: The faults, in the order in which they choose their rows.
        seed: Another seed chooses other rows.

    Raises:
        ConfigurationError: The stores hold too few rows, or a fault of the whole table is not alone.
        Unavailable: A store cannot be reached.
        Refused: A store refuses us.
    """
    chosen = list(faults)
    _require_alone(chosen)
    with (
        transaction(StoreName.PRISMA, primary_dsn) as primary,
        transaction(StoreName.SUPABASE, secondary_dsn) as secondary,
    ):
        planted = _assign(primary, chosen, seed)
        with translate(StoreName.PRISMA):
            _run(primary, StoreName.PRISMA, planted)
        with translate(StoreName.SUPABASE), triggers_off(secondary), checks_off(secondary):
            _run(secondary, StoreName.SUPABASE, planted)
    return planted


def inject_adopted(
    primary_dsn: str,
    secondary_dsn: str,
    faults: Iterable[Fault],
    *,
    relay: Callable[[], None],
    seed: int = 1,
) -> list[Injected]:
    """Plant faults in a pair that replicates, on rows of their own; those that need the relay come first.

    Every statement runs as somebody's own write would, so that it is captured unless it says otherwise. Statements on
    one store that follow one another are one transaction.

    Args:
        primary_dsn: Connection string of the primary, as its superuser.
        secondary_dsn: Connection string of the secondary, as its superuser.
        faults: The faults, in the order in which they choose their rows.
        relay: Carries over what waits.
        seed: Another seed chooses other rows.

    Raises:
        ConfigurationError: The stores hold too few rows, or a fault of the whole table is not alone.
        TwinstoreError: A store cannot be reached, or refuses us.
    """
    chosen = sorted(faults, key=lambda fault: Step.RELAY not in fault.inject)
    _require_alone(chosen)
    with transaction(StoreName.PRISMA, primary_dsn) as primary:
        planted = _assign(primary, chosen, seed)
    dsns = {StoreName.PRISMA: primary_dsn, StoreName.SUPABASE: secondary_dsn}
    for injected in planted:
        for store, steps in groupby(injected.fault.inject, key=lambda step: getattr(step, "store", None)):
            if store is None:
                relay()
                continue
            with transaction(store, dsns[store]) as connection, translate(store):
                for step in steps:
                    if isinstance(step, Statement):
                        connection.execute(step.sql.encode(), {"keys": list(injected.keys)})
    return planted


def _require_alone(faults: Sequence[Fault]) -> None:
    if len(faults) > 1 and any(fault.exclusive for fault in faults):
        raise ConfigurationError("A fault of the whole table cannot be planted with others.", "Plant it alone.")


def _assign(primary: psycopg.Connection, faults: Sequence[Fault], seed: int) -> list[Injected]:
    """Choose all victims before anything is changed, so that no fault sees what another one did."""
    taken: set[str] = set()
    keys: dict[str, tuple[str, ...]] = {}
    for fault in faults:
        keys[fault.id] = _choose(primary, fault, taken, seed)
        taken.update(keys[fault.id])
    return [Injected(fault=fault, keys=keys[fault.id]) for fault in faults]


def _choose(primary: psycopg.Connection, fault: Fault, taken: Collection[str], seed: int) -> tuple[str, ...]:
    rows = None if fault.exclusive else fault.rows
    query = _CANDIDATES.format(where=fault.where)
    with translate(StoreName.PRISMA):
        found = primary.execute(
            query.encode(), {"taken": list(taken), "salt": f"{seed} {fault.id}", "rows": rows}
        ).fetchall()
    if len(found) < fault.rows:
        raise ConfigurationError(
            f"The fault {fault.id} needs {fault.rows} rows of its kind, and there are {len(found)}.",
            "Load more seed records.",
            store=StoreName.PRISMA,
        )
    return tuple(str(key) for (key,) in found)


def _run(connection: psycopg.Connection, store: StoreName, planted: Sequence[Injected]) -> None:
    for injected in planted:
        for statement in injected.fault.statements:
            if statement.store is store:
                connection.execute(statement.sql.encode(), {"keys": list(injected.keys)})
