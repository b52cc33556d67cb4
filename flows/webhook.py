"""Sends alerts to a webhook: JSON with a `text` that chat programs show, and fields that programs read."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contracts.errors import ConfigurationError, Unavailable
from contracts.health import Message, Phase
from contracts.vocabulary import Severity
from storage.rest.quiet import quiet_http

if TYPE_CHECKING:
    from pydantic import SecretStr

TIMEOUT_S = 5.0
ATTEMPTS = 3  # at once; what fails then is kept, and tried again by a later watch
LIMIT_S = 15.0
_SYMBOLS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
_SUCCESS = range(200, 300)
_RETRIED = frozenset({408, 425, 429, *range(500, 600)})


class Webhook:
    """Where alerts are sent.

    Args:
        url: The address; never shown. It may hold a token.
        environment: Name of the pair of stores.

    Raises:
        ConfigurationError: It is no URL of http or https, or it is http to another machine.
    """

    channel = "webhook"

    def __init__(self, url: SecretStr, *, environment: str) -> None:
        self._url = _checked(url.get_secret_value())
        self._environment = environment

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            Unavailable: It was not taken; the error names neither the address nor the message.
        """
        import stamina

        quiet_http()
        content = body(message, self._environment)
        try:
            for attempt in stamina.retry_context(
                on=_NotNow, attempts=ATTEMPTS, timeout=LIMIT_S, wait_initial=0.1, wait_max=2.0, wait_jitter=0.1
            ):
                with attempt:
                    self._post(content)
        except _NotTaken as exc:
            raise Unavailable(
                f"An alert could not be sent to the webhook: {exc}.", "Check TWINSTORE_WEBHOOK_URL; it is tried again."
            ) from None

    def _post(self, content: dict[str, Any]) -> None:
        """Send it once. What httpx raises holds the address, and does not leave this."""
        import httpx

        try:
            with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
                status = client.post(self._url, json=content).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            kind, why = _NotNow if isinstance(exc, httpx.TransportError) else _NotTaken, type(exc).__name__
        else:
            if status in _SUCCESS:
                return
            kind, why = _NotNow if status in _RETRIED else _NotTaken, f"it answered with status {status}"
        raise kind(why)


class _NotTaken(Exception):
    """It was not taken, and would not be if it were sent again at once."""


class _NotNow(_NotTaken):
    """It may be taken when it is sent again at once."""


def body(message: Message, environment: str) -> dict[str, Any]:
    """Return what is sent: no value of a record, no secret."""
    alert = message.alert
    ended = message.phase is Phase.RESOLVED
    symbol = "🟢" if ended else _SYMBOLS[alert.severity]
    word = "resolved" if ended else alert.severity
    return {
        "text": f"{symbol} twinstore {environment}: {word}: {alert.text}",
        "status": str(message.phase),
        "environment": environment,
        "rule": str(alert.rule),
        "subject": alert.subject,
        "severity": str(alert.severity),
        "message": alert.text,
        "since": alert.since.isoformat(),
        "resolved_at": None if alert.resolved_at is None else alert.resolved_at.isoformat(),
    }


def _checked(url: str) -> str:
    text = url.strip()
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        usable = parts.scheme in ("http", "https") and bool(host) and (parts.port or 1) > 0
    except ValueError:
        usable, host, parts = False, "", urlsplit("")
    if not usable:
        raise ConfigurationError("TWINSTORE_WEBHOOK_URL is no URL of a webhook.", "Write it as https://host/path.")
    if parts.scheme == "http" and not _loopback(host):
        raise ConfigurationError(
            "TWINSTORE_WEBHOOK_URL leads to another machine without encryption.", "Use its https address."
        )
    return text


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
