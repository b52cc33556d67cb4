"""Answers and broken connections mean one error each, which says nothing of what the answer said."""

from __future__ import annotations

import json
import ssl

import httpx
import pytest

from contracts.errors import (
    ConfigurationError,
    InternalFault,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TwinstoreError,
    Unavailable,
)
from contracts.vocabulary import StoreName
from storage.rest.errors import (
    PASSING,
    Busy,
    Garbled,
    Lost,
    NoSuchValue,
    TooMuch,
    code_of,
    from_answer,
    from_transport,
    retry_after_s,
)

STORE = StoreName.SUPABASE
SECRET = "alice@example.com"


def error(status: int, code: str | None = None, **headers: str) -> TwinstoreError:
    """Return the error of an answer whose texts hold a personal value."""
    body = {"code": code, "message": SECRET, "details": SECRET, "hint": SECRET}
    return from_answer(status, httpx.Headers(headers), json.dumps(body).encode(), store=STORE)


BY_CODE = [
    (401, "PGRST301", Refused),
    (401, "PGRST303", Refused),
    (403, "42501", Refused),
    (401, "42501", Refused),
    (405, "25006", Refused),
    (406, "PGRST106", SchemaMismatch),
    (404, "PGRST205", SchemaMismatch),
    (404, "PGRST202", SchemaMismatch),
    (400, "PGRST204", SchemaMismatch),
    (404, "42P01", SchemaMismatch),
    (400, "42703", SchemaMismatch),
    (500, "57014", TooMuch),
    (500, "54000", TooMuch),
    (503, "PGRST000", Busy),
    (503, "PGRST002", Busy),
    (504, "PGRST003", Busy),
    (503, "53300", Busy),
    (500, "40001", Busy),
    (500, "57P01", Busy),
    (500, "55P03", Busy),
    (400, "PGRST100", InternalFault),
    (400, "22P02", NoSuchValue),
    (400, "22003", NoSuchValue),
    (400, "22012", ProtocolError),
    (500, "XX000", ProtocolError),
]
BY_STATUS = [
    (302, ConfigurationError),
    (400, ProtocolError),
    (401, Refused),
    (402, Refused),
    (403, Refused),
    (404, ConfigurationError),
    (413, TooMuch),
    (414, TooMuch),
    (429, Busy),
    (500, Lost),
    (502, Lost),
    (503, Busy),
    (520, Lost),
    (527, Lost),
    (540, Unavailable),
    (544, Lost),
]


@pytest.mark.parametrize(("status", "code", "kind"), BY_CODE)
def test_a_code_decides(status: int, code: str, kind: type[TwinstoreError]) -> None:
    """SQLSTATEs and codes of PostgREST, whatever the status."""
    found = error(status, code)
    assert type(found) is kind
    assert code in found.what


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
def test_a_status_decides_where_there_is_no_code(status: int, kind: type[TwinstoreError]) -> None:
    """What stands before PostgREST answers without codes."""
    assert type(error(status)) is kind
    assert type(from_answer(status, {}, b"<html>", store=STORE)) is kind


@pytest.mark.parametrize(("status", "code"), [(s, c) for s, c, _ in BY_CODE] + [(s, None) for s, _ in BY_STATUS])
def test_nothing_of_the_answer_is_quoted(status: int, code: str | None) -> None:
    """Messages, details and hints hold values of rows."""
    found = error(status, code)
    assert SECRET not in str(found)
    assert "{" not in str(found)
    assert found.store == "supabase"


@pytest.mark.parametrize("code", ["alice", "42P01; x", "PGRST1", 42501, ["42501"], {"a": 1}, "<b>xx", ""])
def test_what_is_no_code_is_not_taken_for_one(code: object) -> None:
    """Only five characters of an SQLSTATE, or PGRST and three more."""
    assert code_of({}, json.dumps({"code": code}).encode()) == ""


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"<html>", b'{"code"', b"\xff"])
def test_an_answer_without_json_may_have_its_code_in_a_header(body: bytes) -> None:
    """As an answer to HEAD has."""
    assert code_of({}, body) == ""
    assert code_of({"Proxy-Status": "PostgREST; error=57014"}, body) == "57014"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("0", 0), ("1.5", 1.5), ("", None), ("-1", None), ("inf", None), ("nan", None), ("Mon, 1 Jan", None)],
)
def test_a_wait_is_a_number_of_seconds(text: str, seconds: float | None) -> None:
    """Anything else counts as not said."""
    assert retry_after_s({"Retry-After": text}) == seconds


def test_the_wait_that_is_asked_for_is_carried() -> None:
    """So that a policy can wait for it."""
    found = error(429, **{"Retry-After": "7"})
    assert isinstance(found, Busy)
    assert found.retry_after_s == 7


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ConnectError("x"), Lost),
        (httpx.ConnectTimeout("x"), Lost),
        (httpx.PoolTimeout("x"), Lost),
        (httpx.WriteTimeout("x"), Lost),
        (httpx.ReadTimeout("x"), Lost),
        (httpx.ReadError("x"), Lost),
        (httpx.RemoteProtocolError("x"), Lost),
        (httpx.DecodingError("x"), Garbled),
        (httpx.UnsupportedProtocol("x"), ConfigurationError),
        (httpx.LocalProtocolError(f"Illegal header value {SECRET}"), ConfigurationError),
    ],
)
def test_a_broken_connection_is_said_in_our_words(raised: httpx.HTTPError, kind: type[TwinstoreError]) -> None:
    """By the phase in which it broke."""
    found = from_transport(raised, store=STORE)
    assert type(found) is kind
    assert SECRET not in str(found)
    assert isinstance(found, PASSING) is (kind in PASSING)


def test_a_certificate_that_cannot_be_verified_is_not_tried_again() -> None:
    """It is no outage."""
    raised = httpx.ConnectError("x")
    raised.__cause__ = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")
    assert isinstance(from_transport(raised, store=STORE), Refused)
