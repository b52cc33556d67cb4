"""The REST service of the embedded pair, as a newcomer finds it: its URL is shown, its keys only on request."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.support.command import script


@pytest.mark.soak
def test_keys_are_printed_on_request_only(home: Path) -> None:
    """`stack keys` prints what reaches the service; no other command shows a key; without a pair it says what to do."""
    before = script(None, home, "stack", "keys")
    assert (before.returncode, before.stdout) == (2, "")
    assert "twinstore stack up" in before.stderr
    up = script(None, home, "stack", "up")
    assert up.returncode == 0, up.stderr
    printed = script(None, home, "stack", "keys")
    keys = dict(line.split("=", 1) for line in printed.stdout.splitlines())
    assert json.loads(script(None, home, "stack", "keys", "--json").stdout) == keys
    url = keys.pop("SUPABASE_URL")
    for shown in (up, script(None, home, "stack", "status"), script(None, home, "stack", "status", "--json")):
        assert url in shown.stdout
        assert not any(key in shown.stdout + shown.stderr for key in keys.values())
    with httpx.Client(base_url=f"{url}/rest/v1/", trust_env=False, timeout=60) as client:
        for name in ("SUPABASE_SECRET_KEY", "SUPABASE_PUBLISHABLE_KEY"):
            assert client.get("planning?limit=1", headers={"apikey": keys[name]}).json() == []
        for name in ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"):
            headers = {"apikey": keys[name], "Authorization": f"Bearer {keys[name]}"}
            assert client.get("planning?limit=1", headers=headers).json() == []
    assert script(None, home, "stack", "down", "--remove").returncode == 0
