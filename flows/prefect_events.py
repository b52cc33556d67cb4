"""Sends alerts to Prefect as events, which its automations can notify people of."""

from __future__ import annotations

from pathlib import Path

from contracts.errors import Unavailable
from contracts.health import Message
from flows.quiet import quiet_libraries
from flows.webhook import body


class PrefectEvents:
    """Where alerts are sent as events: the server that Prefect itself is set up for.

    Args:
        environment: Name of the pair of stores.
        home: Our folder, below which Prefect keeps its files unless the user chose another; None inside a flow.
    """

    channel = "prefect"

    def __init__(self, *, environment: str, home: Path | None = None) -> None:
        self._environment = environment
        self._home = home

    def send(self, message: Message) -> None:
        """Hand one message to Prefect, which sends it in the background and says nothing of its fate.

        Raises:
            Unavailable: Prefect did not take it.
        """
        try:
            taken = self._emit(message)
        except Exception:  # noqa: BLE001 - whatever Prefect raises must not end the watch
            taken = False
        if not taken:
            raise Unavailable("Prefect did not take an alert.", "Check PREFECT_API_URL; it is tried again.")

    def _emit(self, message: Message) -> bool:
        quiet_libraries(self._home)
        from prefect.events import emit_event

        alert = message.alert
        parts = ("twinstore", self._environment, str(alert.rule), alert.subject)
        event = emit_event(
            event=f"twinstore.alert.{message.phase}",
            resource={
                "prefect.resource.id": ".".join(part for part in parts if part),
                "prefect.resource.name": alert.text,
                "twinstore.environment": self._environment,
                "twinstore.rule": str(alert.rule),
                "twinstore.severity": str(alert.severity),
            },
            payload=body(message, self._environment),
        )
        return event is not None
