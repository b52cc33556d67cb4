"""Sends alerts to Prefect as events, which its automations can notify people of."""

from __future__ import annotations

from contracts.errors import Unavailable
from contracts.health import Message
from flows.webhook import body


class PrefectEvents:
    """Where alerts are sent as events: the server that Prefect itself is set up for.

    Args:
        environment: Name of the pair of stores.
    """

    channel = "prefect"

    def __init__(self, *, environment: str) -> None:
        self._environment = environment

    def send(self, message: Message) -> None:
        """Hand one message to Prefect, which sends it in the background and says nothing of its fate.

        Raises:
            Unavailable: Prefect did not take it.
        """
        try:
            self._emit(message)
        except Exception as exc:  # noqa: BLE001 - whatever Prefect raises must not end the watch
            why = type(exc).__name__
        else:
            return
        raise Unavailable(f"Prefect did not take an alert: {why}.", "Check PREFECT_API_URL; it is tried again.")

    def _emit(self, message: Message) -> None:
        from prefect.events import emit_event

        alert = message.alert
        parts = ("twinstore", self._environment, str(alert.rule), alert.subject)
        emit_event(
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
