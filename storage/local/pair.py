"""The embedded pair: two servers, and the REST service of one, below one folder that remembers everything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.vocabulary import StoreName
from storage import files
from storage.local import loopback, stores
from storage.local.account import SHELTER, reachable_folder, sheltered_folder
from storage.local.gateway.process import GatewayProcess
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
class RestInfo:
    """The secondary as its users reach it: over REST, as a hosted Supabase project.

    Attributes:
        url: What `SUPABASE_URL` would be.
        anon_key: Token of the role `anon`.
        service_key: Token of the role `service_role`.
        publishable_key: Opaque key of the role `anon`.
        secret_key: Opaque key of the role `service_role`.
        jwt_secret: What tokens of users are signed with.
        running: Whether it answers, and reaches its database.
        folder: Where it keeps everything.
    """

    url: str
    anon_key: SecretStr
    service_key: SecretStr
    publishable_key: SecretStr
    secret_key: SecretStr
    jwt_secret: SecretStr
    running: bool
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PairInfo:
    """The pair.

    Attributes:
        primary: The primary.
        secondary: The secondary, as its database.
        rest: The secondary, as its REST service; None before its first start.
    """

    primary: StoreInfo
    secondary: StoreInfo
    rest: RestInfo | None

    @property
    def running(self) -> bool:
        """Whether all that was ever started accepts connections."""
        return self.primary.running and self.secondary.running and (self.rest is None or self.rest.running)


class LocalPair:
    """Two PostgreSQL servers below `home`, one of them dressed as a Supabase project and served over REST.

    Args:
        home: The folder of twinstore (`TWINSTORE_HOME`); made when it is missing.
        durable: False for tests only: what was committed may be lost when the machine stops.
        shelter: Where root keeps the pair if the account of the servers cannot enter `home`.
        with_rest: Whether the REST service is started as well.
    """

    def __init__(self, home: Path, *, durable: bool = True, shelter: Path = SHELTER, with_rest: bool = True) -> None:
        self._home = home.absolute()
        self._durable = durable
        self._shelter = shelter
        self._with_rest = with_rest

    def up(self) -> PairInfo:
        """Start everything and make whatever is missing: data folders, roles, databases, the Prisma table, keys.

        Safe to repeat, after any interruption, and from several processes at once. The processes outlive the caller.
        The planning table of the secondary is made by the migrations, not here.

        Raises:
            ConfigurationError: The folder cannot be used, or PostgreSQL's programs are missing.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: A server or the REST service does not start.
            Refused: A server runs but does not accept its password.
        """
        with self._usable():
            files.make_folder(self._home)
            with self._exclusive():
                folder = reachable_folder(self._folder, self._shelter)
                primary, secondary = self._servers(folder)
                for server in (primary, secondary):
                    server.initialise()
                    server.start()
                with translate(StoreName.PRISMA):
                    stores.prepare_primary(primary)
                    stores.create_prisma_table(primary.dsn(stores.APP, stores.APP))
                with translate(StoreName.SUPABASE):
                    stores.prepare_secondary(secondary)
                if self._with_rest:
                    _gateway(folder).start(secondary.dsn(stores.CUSTOMER, stores.GATE))
            return self.status()

    def down(self) -> PairInfo:
        """Stop everything; data and keys stay.

        Raises:
            ConfigurationError: The folder cannot be used.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: A server or the REST service does not stop.
        """
        with self._usable():
            if self._folder.exists():
                with self._exclusive():
                    _gateway(self._folder.resolve()).stop()
                    for server in self._servers(self._folder.resolve()):
                        server.stop()
            return self.status()

    def remove(self) -> None:
        """Stop everything and delete what belongs to the pair: its rows, its passwords and keys, its folder.

        Raises:
            ConfigurationError: The folder cannot be used.
            Conflict: Another process has been starting or stopping the pair for minutes.
            Unavailable: Something does not stop; then nothing is deleted.
        """
        with self._usable():
            self.down()
            for folder in (self._folder, sheltered_folder(self._folder, self._shelter)):
                if folder.is_symlink():
                    folder.unlink()
                elif folder.exists():
                    shutil.rmtree(folder)

    def status(self) -> PairInfo:
        """Tell where everything is and whether it runs. This is a read-only operation.

        Raises:
            ConfigurationError: The folder belongs to somebody else.
        """
        with self._usable():
            folder = self._folder.resolve()
            primary, secondary = self._servers(folder)
            return PairInfo(
                primary=_info(primary, dbname=stores.APP, role=stores.APP),
                secondary=_info(secondary, dbname=stores.CUSTOMER, role=stores.CUSTOMER),
                rest=_rest_info(_gateway(folder)),
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


def _gateway(folder: Path) -> GatewayProcess:
    return GatewayProcess(folder=folder / "rest")


def _rest_info(gateway: GatewayProcess) -> RestInfo | None:
    from pydantic import SecretStr

    url, keys = gateway.url, gateway.keys()
    if url is None or keys is None:
        return None
    return RestInfo(
        url=url,
        anon_key=SecretStr(keys.anon_key),
        service_key=SecretStr(keys.service_key),
        publishable_key=SecretStr(keys.publishable_key),
        secret_key=SecretStr(keys.secret_key),
        jwt_secret=SecretStr(keys.jwt_secret),
        running=gateway.is_running(),
        folder=gateway.folder,
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
