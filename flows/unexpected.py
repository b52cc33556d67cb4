"""Errors that nobody expected, as what may be shown."""

from __future__ import annotations

import logging

from contracts.errors import InternalFault, TwinstoreError
from contracts.vocabulary import StoreName

logger = logging.getLogger("twinstore")


def understood(exc: Exception, store: StoreName | None) -> TwinstoreError:
    """Return an error that can be shown: our own as it is, another one by its kind, since its text may hold values."""
    if isinstance(exc, TwinstoreError):
        return exc
    logger.debug("unexpected error", exc_info=exc)
    return InternalFault(
        f"An unexpected {type(exc).__name__} ended a part of the check.",
        "Run it again with --debug and report what it says.",
        store=store,
    )
