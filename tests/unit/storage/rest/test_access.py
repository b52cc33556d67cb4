"""URL and key are checked before anything is sent, and never shown."""

from __future__ import annotations

import logging

import pytest

from contracts.errors import ConfigurationError
from storage.rest.client import RestAccess, RestClient


@pytest.mark.parametrize(
    ("url", "project"),
    [
        ("https://abc.supabase.co", "https://abc.supabase.co"),
        (" https://abc.supabase.co/ ", "https://abc.supabase.co"),
        ("https://abc.supabase.co/rest/v1/", "https://abc.supabase.co"),
        ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("https://example.com/supabase", "https://example.com/supabase"),
    ],
)
def test_a_url_is_that_of_the_project(url: str, project: str) -> None:
    """The path of the REST API may be there or not."""
    assert RestAccess(url=url, key="k").url == project


@pytest.mark.parametrize(
    "url",
    [
        "",
        "abc.supabase.co",
        "postgresql://u:secret@h/db",
        "https://",
        "https://u:secret@h",
        "https://h:99999",
        "https://h?apikey=secret",
        "https://h#x",
        "https://a b.co",
    ],
)
def test_another_url_is_refused_without_being_quoted(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError, match="SUPABASE_URL is not the URL of a project") as raised:
        RestAccess(url=url, key="k")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("key", ["", " ", "a b", "secret\nX-Header: 1", "é"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    """Otherwise an error of the HTTP library would quote it."""
    with pytest.raises(ConfigurationError) as raised:
        RestAccess(url="https://abc.supabase.co", key=key)
    assert "secret" not in str(raised.value)


def test_the_key_is_not_shown() -> None:
    """Neither here nor by the client."""
    access = RestAccess(url="https://abc.supabase.co", key="sb_secret_abc")
    with RestClient(access) as client:
        assert "sb_secret" not in repr(access) + repr(client)


@pytest.mark.parametrize("table", ["", ".", "..", "../auth/v1/admin", "a/b", "a?x=1", "a#b", "a%2fb", "a\\b", "a\nb"])
def test_a_table_cannot_lead_out_of_the_api(table: str) -> None:
    """Its name is part of the URL's path."""
    with RestClient(RestAccess(url="https://abc.supabase.co", key="k")) as client:
        with pytest.raises(ConfigurationError):
            client.table("public", table)
        client.table("public", "Odd table é")


def test_the_libraries_below_keep_quiet() -> None:
    """At the level of information httpx prints URLs, which hold the values of filters."""
    with RestClient(RestAccess(url="https://abc.supabase.co", key="k")):
        assert not any(logging.getLogger(name).isEnabledFor(logging.INFO) for name in ("httpx", "httpcore"))
