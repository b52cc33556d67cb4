"""A connection whose statements end in time, whatever stands between.

The server's own limits end nothing when its answers are swallowed: a network that drops packets, a pooler that hangs. A
client that only waits would then wait for ever.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg.abc import PQGen

from contracts.errors import Unavailable
from contracts.vocabulary import StoreName

SLACK_S = 0.5  # beyond the server's own limit, so that the server gives up first and says so


class Bounded(psycopg.Connection[Any]):
    """A connection of which every statement is given up when no answer comes in time.

    What had been sent by then may still be carried out; a transaction whose COMMIT was not sent is not.

    Attributes:
        store: The store, for errors.
        limit_s: Seconds that a statement has on the server; its answer may take `SLACK_S` longer.
    """

    store: StoreName
    limit_s: float = 30.0

    def wait(self, gen: PQGen[Any], *args: Any, **limits: Any) -> Any:
        """Wait for an answer, as every statement does.

        Raises:
            Unavailable: None came in time. The connection cannot be used any more.
        """
        return super().wait(self._in_time(gen), *args, **limits)

    def _in_time(self, gen: PQGen[Any]) -> PQGen[Any]:
        """Pass a generator of psycopg's on, which is woken several times a second, until it is too late."""
        until = time.monotonic() + self.limit_s + SLACK_S
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    raise Unavailable(
                        f"{self.store} did not answer in time.",
                        "Check that the server is up and that nothing stands between that swallows its answers.",
                        store=self.store,
                    )
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value
