"""What all commands share: consoles, details on demand, errors as two sentences."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from rich.console import Console

EXIT_UNKNOWN = 2
PAGE_WIDTH = 150
DEBUG = "TWINSTORE_DEBUG"
YES = frozenset({"1", "true", "t", "yes", "y", "on"})  # as the settings read it


def out() -> Console:
    """Return the console for what was asked for; off a terminal its lines are long enough for our tables."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PAGE_WIDTH
    return Console(highlight=False, markup=False, width=width)


def err() -> Console:
    """Return the console for progress and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)


def show_details() -> None:
    """Show our own log, and tracebacks, from now on."""
    os.environ[DEBUG] = "true"
    logger = logging.getLogger("twinstore")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.DEBUG)


def confirmed(consequence: str, *, yes: bool) -> None:
    """Ask on a terminal whether to go on after saying what follows; elsewhere `--yes` must have been said.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    from contracts.errors import ConfigurationError

    err().print(consequence, soft_wrap=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on, and nothing was done.", "Say --yes to go on.")
    import typer

    if not typer.confirm("Go on?", err=True):
        err().print("Nothing was done.")
        sys.exit(1)


def explain_and_exit(what: str, todo: str, exc: BaseException) -> NoReturn:
    """Print what is wrong and what to do, and exit with code 2."""
    console = err()
    console.print(f"twinstore: {what}", style="red", soft_wrap=True)
    console.print(todo, soft_wrap=True)
    if os.environ.get(DEBUG, "").lower() in YES:
        import traceback

        traceback.print_exception(exc)
    sys.exit(EXIT_UNKNOWN)
