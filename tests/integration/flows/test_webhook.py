"""Messages to a webhook on a real socket: what they say, when they are sent again, and what they never tell."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from contracts.errors import ConfigurationError, Unavailable
from contracts.health import Alert, AlertRule, Message, Phase
from contracts.vocabulary import Severity
from flows.webhook import ATTEMPTS, Webhook
from tests.support.faulty_proxy import nobody_listens
from tests.support.hook import Hook, hook

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALERT = Alert(
    rule=AlertRule.STORE_FAILED,
    subject="supabase",
    severity=Severity.WARNING,
    text="supabase has failed for 30 min: supabase cannot be reached.",
    since=NOW,
)
FIRING = Message(alert=ALERT, phase=Phase.FIRING, channel="webhook", raised_at=NOW)


def webhook(hook: Hook) -> Webhook:
    """Return what sends to a hook."""
    return Webhook(SecretStr(hook.url), environment="production")


def test_a_message_has_a_text_for_people_and_fields_for_programs() -> None:
    """Slack shows `text`; nothing else is needed there."""
    with hook() as there:
        webhook(there).send(FIRING)
        ended = replace(ALERT, resolved_at=NOW)
        webhook(there).send(replace(FIRING, alert=ended, phase=Phase.RESOLVED))
    firing, resolved = there.taken
    assert firing == {
        "text": "🟠 twinstore production: warning: supabase has failed for 30 min: supabase cannot be reached.",
        "status": "firing",
        "environment": "production",
        "rule": "store_failed",
        "subject": "supabase",
        "severity": "warning",
        "message": ALERT.text,
        "since": "2026-11-23T12:00:00+00:00",
        "resolved_at": None,
    }
    assert resolved["text"].startswith("🟢 twinstore production: resolved: ")
    assert (resolved["status"], resolved["resolved_at"]) == ("resolved", "2026-11-23T12:00:00+00:00")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_sent_again_at_once(status: int) -> None:
    """Twice refused, taken the third time: once."""
    with hook() as there:
        there.answers = [status, status]
        webhook(there).send(FIRING)
    assert (there.attempts, len(there.taken)) == (3, 1)


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (302, 1), (503, ATTEMPTS)])
def test_what_is_not_taken_is_told(status: int, attempts: int) -> None:
    """With the status, and without the address, which holds the hook's token."""
    with hook() as there:
        there.answers = [status] * 10
        with pytest.raises(Unavailable, match=f"status {status}") as caught:
            webhook(there).send(FIRING)
    assert there.attempts == attempts
    assert "T0K3N" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_hook_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error nor any log names the address, at any level."""
    with (
        nobody_listens() as url,
        caplog.at_level(logging.DEBUG),
        pytest.raises(Unavailable, match="ConnectError") as caught,
    ):
        Webhook(SecretStr(f"{url}/T0K3N"), environment="production").send(FIRING)
    assert "T0K3N" not in repr(caught.value)
    assert "T0K3N" not in "".join(str(vars(record)) for record in caplog.records if record.name != "asyncio")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("hooks.example.com/T0K3N", "no URL"),
        ("ftp://hooks.example.com/T0K3N", "no URL"),
        ("https://[bad/T0K3N", "no URL"),
        ("https://host:99999/T0K3N", "no URL"),
        ("http://hooks.example.com/T0K3N", "without encryption"),
        ("http://10.0.0.7/T0K3N", "without encryption"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, words: str) -> None:
    """The message does not quote it."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        Webhook(SecretStr(url), environment="production")
    assert "T0K3N" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://hooks.example.com/T", "http://localhost:1/T", "http://[::1]:1/T"])
def test_addresses_that_can_be_used(url: str) -> None:
    """Anything by https, and this machine by http."""
    Webhook(SecretStr(url), environment="production")
