"""The embedded pair: both servers together, below one folder that remembers everything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage.local import files, loopback, stores
from storage.local.account import SHELTER, reachable_folder, sheltered_folder
from storage.local.server import Server
from storage.pg_errors import translate

if TYPE_CHECKING:
    from pydantic import SecretStr

_WAIT_S = 300.0  # a first start on a slow disk


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInfo:
    """One server of the pair.

    Attributes:
        dsn: URL for the role that twinstore uses there, password included; None before the first start.
        host: Address on which it listens.
        port: Port on which it listens or last listened; None before the first start.
        version: Major version of PostgreSQL.
        running: Whether it accepts connections.
        folder: Where it keeps everything.
    """

    dsn: SecretStr | None
    host: str
    port: int | None
    version: int
    running: bool
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PairInfo:
    """Both servers of the pair."""

    primary: StoreInfo
    secondary: StoreInfo

    @property
    def running(self) -> bool:
        """Whether both accept connections."""
        return self.primary.running and self.secondary.running


class LocalPair:
    """Two PostgreSQL servers below `home`, one of them dressed as a Supabase project.

    Args:
        home: The folder of twinstore (`TWINSTORE_HOME`); made when it is missing.
        durable: False for tests only: what was committed may be lost when the machine stops.
        shelter: Where root keeps the pair if the account of the servers cannot enter `home`.
    """

    def __init__(self, home: Path, *, durable: bool = True, shelter: Path = SHELTER) -> None:
        self._home = home.absolute()
        self._durable = durable
        self._shelter = shelter

    def up(self) -> PairInfo:
        """Start both servers and make whatever is missing: data folders, roles, databases, the Prisma table.

        Safe to repeat, after any interruption, and from several processes at once. The servers outlive the caller.
        The planning table of the secondary is made by the migrations, not here.

        Raises:
            ConfigurationError: The folder cannot be used, or PostgreSQL's programs are missing.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: A server does not start.
            Refused: A server runs but does not accept its password.
        """
        with self._usable():
            files.make_folder(self._home)
            with self._exclusive():
                primary, secondary = self._servers(reachable_folder(self._folder, self._shelter))
                for server in (primary, secondary):
                    server.initialise()
                    server.start()
                with translate(StoreName.PRISMA):
                    stores.prepare_primary(primary)
                    stores.create_prisma_table(primary.dsn(stores.APP, stores.APP))
                with translate(StoreName.SUPABASE):
                    stores.prepare_secondary(secondary)
            return self.status()

    def down(self) -> PairInfo:
        """Stop both servers; their data stay.

        Raises:
            ConfigurationError: The folder cannot be used.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: A server does not stop.
        """
        with self._usable():
            if self._folder.exists():
                with self._exclusive():
                    for server in self._servers(self._folder.resolve()):
                        server.stop()
            return self.status()

    def remove(self) -> None:
        """Stop both servers and delete everything that belongs to the pair: its rows, its passwords, its folder.

        Raises:
            ConfigurationError: The folder cannot be used.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: A server does not stop; then nothing is deleted.
        """
        with self._usable():
            self.down()
            for folder in (self._folder, sheltered_folder(self._folder, self._shelter)):
                if folder.is_symlink():
                    folder.unlink()
                elif folder.exists():
                    shutil.rmtree(folder)

    def status(self) -> PairInfo:
        """Tell where both servers are and whether they run. This is a read-only operation.

        Raises:
            ConfigurationError: The folder belongs to somebody else.
        """
        with self._usable():
            primary, secondary = self._servers(self._folder.resolve())
            return PairInfo(
                primary=_info(primary, dbname=stores.APP, role=stores.APP),
                secondary=_info(secondary, dbname=stores.CUSTOMER, role=stores.CUSTOMER),
            )

    @property
    def _folder(self) -> Path:
        return self._home / "pair"

    def _servers(self, folder: Path) -> tuple[Server, Server]:
        def server(name: str, version: int, superuser: str) -> Server:
            return Server(
                version=version,
                folder=folder / name,
                superuser=superuser,
                durable=self._durable,
                shelter=self._shelter,
            )

        return (
            server("primary", stores.PRIMARY_VERSION, stores.PRIMARY_SUPERUSER),
            server("secondary", stores.SECONDARY_VERSION, stores.SECONDARY_SUPERUSER),
        )

    def _exclusive(self) -> AbstractContextManager[None]:
        return files.exclusive(self._home / "pair.lock", wait_s=_WAIT_S)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise ConfigurationError(
                f"The local pair cannot use {exc.filename or self._home}: {exc.strerror}.",
                "Run as the user who made it, or set TWINSTORE_HOME to a folder of your own.",
            ) from exc


def _info(server: Server, *, dbname: str, role: str) -> StoreInfo:
    from pydantic import SecretStr

    ready = server.port is not None and (server.folder / f"{role}.password").exists()
    return StoreInfo(
        dsn=SecretStr(server.dsn(dbname, role)) if ready else None,
        host=loopback.HOST,
        port=server.port,
        version=server.version,
        running=server.is_running(),
        folder=server.folder,
    )


def up(home: Path) -> PairInfo:
    """Start the pair below `home`, making whatever is missing. See `LocalPair.up`.

    Raises:
        TwinstoreError: As `LocalPair.up`.
    """
    return LocalPair(home).up()


def down(home: Path) -> PairInfo:
    """Stop the pair below `home`. See `LocalPair.down`.

    Raises:
        TwinstoreError: As `LocalPair.down`.
    """
    return LocalPair(home).down()


def status(home: Path) -> PairInfo:
    """Tell where the pair below `home` is and whether it runs. See `LocalPair.status`.

    Raises:
        TwinstoreError: As `LocalPair.status`.
    """
    return LocalPair(home).status()
