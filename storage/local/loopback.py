"""The loopback interface: which ports are free, whether a server answers and accepts a login."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port on which nobody listens at present."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does: closed connections may linger
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Tell whether a PostgreSQL server accepts connections on `port`; no login is tried."""
    from psycopg.pq import PGconn, Ping

    conninfo = f"host={HOST} port={port} dbname=postgres user=nobody connect_timeout=2 sslmode=disable"
    return PGconn.ping(conninfo.encode()) == Ping.OK


def accepts_login(dsn: str) -> bool:
    """Tell whether the server at `dsn` proves to know our password, and accepts it."""
    import psycopg

    try:
        # SCRAM proves each side to the other: another server on our port would be found out, and learn nothing.
        psycopg.connect(dsn, connect_timeout=5, require_auth="scram-sha-256").close()
    except psycopg.OperationalError:
        return False
    return True
