"""Whether a backup may be brought back into a store: what is asked for, and what must be known before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.backups import KeptBackup, KeptSide, Manifest
from contracts.errors import ConfigurationError, Refused
from contracts.registry import known_datasets
from contracts.vocabulary import StoreName
from flows.backup import target_of
from flows.settings import Settings
from flows.wiring import Stores

if TYPE_CHECKING:
    from storage.backup.target import Target

OTHER_STORE, CASCADE = "--into-another-store", "--allow-cascade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be restored.

    Attributes:
        backup: Beginning of the id of the backup; the newest one where it is None.
        store: The store whose rows are brought back.
        datasets: Names of the datasets; all that the backup holds unless given.
        confirm: The whole id of the backup, to do it; None to say what would be done.
        into_another_store: Whether the target may be another database than the one that was backed up.
        allow_cascade: Whether changes may go on into tables that refer to these.
    """

    backup: str | None
    store: StoreName
    datasets: tuple[str, ...] = ()
    confirm: str | None = None
    into_another_store: bool = False
    allow_cascade: bool = False

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is allowed that is refused otherwise."""
        named = ((OTHER_STORE, self.into_another_store), (CASCADE, self.allow_cascade))
        return tuple(name for name, allowed in named if allowed)


def readable(backup: KeptBackup, wanted: Wanted) -> tuple[Manifest, KeptSide]:
    """Return what the backup says of itself and of the store.

    Raises:
        Refused: Its manifest cannot be read.
        ConfigurationError: It does not hold the store.
    """
    if backup.manifest is None:
        raise Refused(
            f"The backup {backup.id} cannot be read: {backup.trouble}", "`twinstore backup list` lists others."
        )
    side = backup.manifest.side(wanted.store)
    if side is None:
        raise ConfigurationError(
            f"The backup {backup.id} does not hold {wanted.store}.", "`twinstore backup list` says what each one holds."
        )
    return backup.manifest, side


def reachable(settings: Settings, stores: Stores, store: StoreName) -> Target:
    """Return the store as rows can be replaced there.

    Raises:
        ConfigurationError: It is reached over REST.
    """
    if store not in stores.urls:
        raise ConfigurationError(
            f"{store} is reached over REST, which cannot replace rows in one transaction.",
            "Set SUPABASE_DB_URL to its database, then restore.",
            store=store,
        )
    return target_of(settings, stores, store)


def require_same_store(manifest: Manifest, side: KeptSide, target: Target, stores: Stores, wanted: Wanted) -> None:
    """Refuse a target that is not known to be what was backed up, unless that was allowed.

    Raises:
        Refused: It is another one.
    """
    from storage.backup.target import identity_of

    if wanted.into_another_store:
        return
    todo = f"If that is how it must be, as after the database was lost, say {OTHER_STORE}."
    if manifest.environment != stores.environment:
        raise Refused(
            f"The backup {manifest.id} is of {manifest.environment}, and these stores are {stores.environment}.", todo
        )
    known = identity_of(target)
    if side.identity is None or known is None or known[0] != side.identity:
        raise Refused(
            f"{wanted.store} is not known to be the database from which the backup {manifest.id} was made.",
            todo,
            store=wanted.store,
        )


def require_confirmation(backup: KeptBackup, wanted: Wanted) -> None:
    """Refuse what was confirmed with another id, or was never proven to restore.

    Raises:
        ConfigurationError: Another id was confirmed.
        Refused: The side was never verified, or the last drill of it found a flaw.
    """
    if wanted.confirm is None:
        return
    if wanted.confirm != backup.id:
        raise ConfigurationError(
            f"The backup is {backup.id}, and {wanted.confirm!r} was confirmed.", f"Say --confirm {backup.id}."
        )
    if why := unproven(backup, wanted.store):
        raise Refused(why, f"Run `twinstore backup verify {backup.id}` first.")


def unproven(backup: KeptBackup, store: StoreName) -> str:
    """Return why a store may not be restored from a backup as it is; empty where it may.

    What lies on the other side does not count; the drill of a restore looks at the files of this one.
    """
    found = backup.verification
    if found is not None and store in found.proven:
        return ""
    if found is None or not found.flaws:
        return f"{store} of the backup {backup.id} was never proven to restore."
    return f"The backup {backup.id} is damaged, as the last drill found: {found.flaws[0].text}"


def names_of(side: KeptSide, wanted: Wanted) -> tuple[str, ...]:
    """Return the datasets that are brought back.

    Raises:
        ConfigurationError: The backup does not hold one of them, or holds one that is none any more.
    """
    held = tuple(content.dataset for content in side.datasets)
    known = [name for name in held if name in known_datasets()]
    if not wanted.datasets and (unknown := [name for name in held if name not in known]):
        raise ConfigurationError(
            f"The backup holds {', '.join(unknown)} besides, which is no dataset any more.",
            f"Say what is to be restored: {' '.join(f'--dataset {name}' for name in known)}."
            if known
            else "Let TWINSTORE_DATASETS lead to the folder of its contract.",
        )
    for name in wanted.datasets:
        if name not in held:
            raise ConfigurationError(f"The backup does not hold {name}.", f"It holds {', '.join(held)}.")
    return wanted.datasets or held
