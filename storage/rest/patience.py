"""The one policy by which reads over REST are tried again; nothing below and nothing above it tries again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from storage.rest.errors import PASSING, Busy, Garbled

T = TypeVar("T")

GARBLED_ATTEMPTS = 3  # an answer that is garbled as often comes from something else than the store


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long a read is tried again.

    Attributes:
        attempts: How often it is tried in all.
        limit_s: Seconds after which it is not tried again; nor is it when the server asks us to wait beyond them.
        first_wait_s: Seconds before the second attempt; each further wait is twice as long, with some chance added.
        longest_wait_s: Largest wait that we choose ourselves.
    """

    attempts: int = 6
    limit_s: float = 60.0
    first_wait_s: float = 0.2
    longest_wait_s: float = 8.0

    def call(self, read: Callable[[], T], *, failed: Callable[[Exception], None] = lambda _: None) -> T:
        """Return what `read` returns, trying again what may pass by itself.

        Args:
            read: Reads something; running it twice must do no harm.
            failed: Is told every error that may pass, before the wait.

        Raises:
            TwinstoreError: The last error, when it does not pass.
        """
        import stamina

        started = time.monotonic()
        garbled = 0

        def again(exc: Exception) -> bool | float:
            nonlocal garbled
            if not isinstance(exc, PASSING):
                return False
            failed(exc)
            garbled += isinstance(exc, Garbled)
            wait_s = exc.retry_after_s if isinstance(exc, Busy) else None
            left_s = self.limit_s - (time.monotonic() - started)
            if garbled >= GARBLED_ATTEMPTS or left_s <= (wait_s or 0):
                return False
            return True if wait_s is None else wait_s

        for attempt in stamina.retry_context(
            on=again,
            attempts=self.attempts,
            timeout=self.limit_s,
            wait_initial=self.first_wait_s,
            wait_max=self.longest_wait_s,
            wait_jitter=self.first_wait_s,
        ):
            with attempt:
                return read()
        raise AssertionError("stamina ends in a return or an error")
