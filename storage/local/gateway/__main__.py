"""`python -m storage.local.gateway --folder F`: serve what the folder says, until SIGTERM.

As root it gives up its rights, for those of the account that runs the servers, before it answers anybody.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from storage.local.account import server_account
from storage.local.gateway.exchange import Request
from storage.local.gateway.server import listening_socket, serve_forever
from storage.local.gateway.service import PREFIX, Gateway
from storage.local.gateway.settings import load_keys, load_settings

_LOOK_S = 1.0


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m storage.local.gateway", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder with settings, keys and port")
    folder: Path = parser.parse_args().folder
    settings, keys = load_settings(folder), load_keys(folder)
    if settings is None or keys is None:
        sys.exit(f"{folder} holds no settings and keys of this version.")
    listener = listening_socket(int((folder / "port").read_text(encoding="ascii")))
    gateway = Gateway(settings.dsn, keys, settings.options())
    # One request loads whatever is loaded late: afterwards our own files may be closed to us.
    warm = {"apikey": keys.secret_key}
    gateway.answer(Request(method="GET", path=f"{PREFIX}twinstore_warm_up", headers=warm))
    # An open file tells that its folder was deleted, even to an account that may not look.
    kept = os.open(folder / "settings", os.O_RDONLY | os.O_CLOEXEC)
    threading.Thread(target=_end_without, args=(kept,), name="folder", daemon=True).start()
    serve_forever(gateway, listener, prepared=lambda: _drop_rights(folder))


def _end_without(kept: int) -> None:
    """End this process when the file was deleted: nobody could find it any more."""
    while os.fstat(kept).st_nlink:
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _drop_rights(folder: Path) -> None:
    account = server_account(folder)
    if account is not None:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
        os.chdir("/")


if __name__ == "__main__":
    main()
