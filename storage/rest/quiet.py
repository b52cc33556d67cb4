"""What libraries of HTTP may print: no URL, since it holds values of filters, or the secret of a webhook."""

from __future__ import annotations

import logging


def quiet_http() -> None:
    """Keep these loggers from printing URLs, and from telling of every retry."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    retries = logging.getLogger("stamina")
    if not retries.handlers:
        retries.addHandler(logging.NullHandler())
