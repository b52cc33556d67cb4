"""Whether the stores are those that a plan was made for: proven, proven not to be, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.repair.plan import Header
from contracts.verdicts.run import PLACED
from contracts.vocabulary import StoreName


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """Stores that are not proven to be those of a plan.

    Attributes:
        proven: Whether they are proven to be others.
        stores: Those that are not proven to be the same.
        what: One sentence that says so.
        todo: One sentence that says what to do.
    """

    proven: bool
    stores: tuple[StoreName, ...]
    what: str
    todo: str


def strange_pair(header: Header, identities: Mapping[StoreName, str], environment: str) -> Strange | None:
    """Say that the stores are others than those of a plan, or under another name, or may be; None for the same ones.

    A store is another one where both ids, or the references of both projects, are known and differ. Addresses prove
    nothing, since they change; neither do an id and a place: the id of one database appears when its functions are
    installed, or when it is reached otherwise.

    Args:
        header: What the plan is about.
        identities: Per store, which very database it is now.
        environment: Name of the pair of stores.
    """
    both = {store: (header.identities.get(store, ""), identities.get(store, "")) for store in StoreName}
    others = [store for store, (before, now) in both.items() if are_others(before, now)]
    if others or header.environment != environment:
        which = ", ".join(others) or f"the environment {environment}"
        return Strange(
            proven=True,
            stores=tuple(others),
            what=f"The plan was made for another pair of stores than these ({which}).",
            todo="Make a plan for this pair with `twinstore repair plan`.",
        )
    unproven = tuple(store for store, (before, now) in both.items() if not before or before != now)
    if not unproven:
        return None
    return Strange(
        proven=False,
        stores=unproven,
        what=f"It is not proven that the plan was made for these very stores ({', '.join(unproven)}).",
        todo=f"Make a new one with `twinstore repair plan`{_way_back(header, both, unproven)}.",
    )


def are_others(before: str, now: str) -> bool:
    """Tell whether two databases are proven to be different ones, by what they are known; empty where nothing tells."""
    return before != now and _vague(before) == _vague(now) < _ADDRESS


def best_known(before: Mapping[StoreName, str], now: Mapping[StoreName, str]) -> dict[StoreName, str]:
    """Return by what the stores of a plan are known best: an id before a place, and what was known before first."""
    return {store: min(before.get(store, ""), now.get(store, ""), key=_vague) for store in StoreName}


def _way_back(header: Header, both: Mapping[StoreName, tuple[str, str]], unproven: tuple[StoreName, ...]) -> str:
    """Say how supabase is known again as it was when the plan was made, where it was reached otherwise."""
    before, now = both[StoreName.SUPABASE]
    if unproven != (StoreName.SUPABASE,) or not before or (_vague(before) and _vague(now)):
        return ""
    return f", or reach supabase as when it was made: `TWINSTORE_CHANNEL={header.channels[StoreName.SUPABASE]}`"


_ADDRESS = 2


def _vague(identity: str) -> int:
    """Return how little a store is known by: 0 by its id, 1 by its project, 2 by an address, 3 by nothing."""
    if not identity:
        return 3
    if not identity.startswith(PLACED):
        return 0
    return _ADDRESS if "/" in identity else 1
