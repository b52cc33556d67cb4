"""Who a request comes from: keys, tokens, and everything that is neither."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.local.gateway.keys import Unidentified, identify, make_keys
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.tokens import SKEW_S, sign, verify

NOW = 1_770_000_000.0
KEYS = make_keys(NOW, jwt_secret="a secret of the tests, long enough")
OTHER = make_keys(NOW)


def role(**headers: str) -> str:
    """Return the role of a request with these headers."""
    return identify(headers, KEYS, now=NOW, audience=None).role


def user(**claims: object) -> str:
    """Return the token of a user."""
    return sign({"role": "authenticated", "sub": "ann", **claims}, KEYS.jwt_secret)


@pytest.mark.parametrize(
    ("key", "token", "expected"),
    [
        (KEYS.anon_key, None, "anon"),
        (KEYS.anon_key, KEYS.anon_key, "anon"),
        (KEYS.service_key, KEYS.service_key, "service_role"),
        (KEYS.service_key, None, "anon"),
        (KEYS.anon_key, KEYS.service_key, "service_role"),
        (KEYS.anon_key, user(), "authenticated"),
        (KEYS.anon_key, sign({"sub": "ann"}, KEYS.jwt_secret), "anon"),
        (KEYS.publishable_key, None, "anon"),
        (KEYS.publishable_key, KEYS.publishable_key, "anon"),
        (KEYS.publishable_key, user(), "authenticated"),
        (KEYS.secret_key, None, "service_role"),
        (KEYS.secret_key, KEYS.secret_key, "service_role"),
        (KEYS.secret_key, user(), "authenticated"),
    ],
    ids=itertools.count(),  # not the keys, which are others in every process
)
def test_the_token_says_who_unless_the_key_does(key: str, token: str | None, expected: str) -> None:
    """The key lets in, the token decides; an opaque key alone stands for its role."""
    headers = {"apikey": key} if token is None else {"apikey": key, "authorization": f"Bearer {token}"}
    assert role(**headers) == expected


@pytest.mark.parametrize(
    "key", ["", "nonsense", OTHER.anon_key, OTHER.secret_key, user(), "schlüssel"], ids=itertools.count()
)
def test_without_a_key_of_the_project_nobody_comes_in(key: str) -> None:
    """No key, an unknown one, one of another project, a user's token as key: all are turned away."""
    with pytest.raises(Unidentified):
        role(apikey=key, authorization=f"Bearer {KEYS.service_key}")


@pytest.mark.parametrize(
    "token", [OTHER.service_key, KEYS.publishable_key, "sb_secret_other", "a.b.c", ""], ids=itertools.count()
)
def test_a_wrong_token_is_refused_whatever_the_key(token: str) -> None:
    """A token that is not valid does not fall back to the role of the key."""
    with pytest.raises(Refusal, check=lambda refusal: refusal.status == 401):
        role(apikey=KEYS.secret_key, authorization=f"Bearer {token}")


def test_a_secret_key_is_refused_from_a_browser() -> None:
    """A secret key that a browser sends has leaked."""
    with pytest.raises(Unidentified):
        role(apikey=KEYS.secret_key, **{"user-agent": "Mozilla/5.0 (X11; Linux x86_64)"})


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": NOW - SKEW_S - 2}, "JWT expired"),
        ({"nbf": NOW + SKEW_S + 2}, "JWT not yet valid"),
        ({"iat": NOW + SKEW_S + 2}, "JWT issued at future"),
        ({"exp": True}, "The JWT 'exp' claim must be a number"),
        ({"aud": "others"}, "JWT not in audience"),
        ({"aud": ["others"]}, "JWT not in audience"),
        ({"aud": {}}, "The JWT 'aud' claim must be a string or an array of strings"),
    ],
)
def test_claims_out_of_bounds_are_refused(claims: dict[str, object], message: str) -> None:
    """Times count with half a minute of tolerance; who is named must be us."""
    with pytest.raises(Refusal) as caught:
        verify(user(**claims), KEYS.jwt_secret, now=NOW, audience="authenticated")
    assert (caught.value.code, caught.value.message) == ("PGRST303", message)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": NOW - SKEW_S + 2},
        {"nbf": NOW + SKEW_S - 2},
        {"aud": []},
        {"aud": None},
        {"aud": ["authenticated", "x"]},
    ],
)
def test_claims_within_bounds_pass(claims: dict[str, object]) -> None:
    """A token that names nobody is for everybody, as PostgREST has it."""
    assert verify(user(**claims), KEYS.jwt_secret, now=NOW, audience="authenticated")["sub"] == "ann"


@given(st.text(), st.sampled_from(["none", "HS512", "RS256", "hs256", ""]))
def test_only_one_algorithm_is_accepted(payload: str, algorithm: str) -> None:
    """Whatever algorithm a token names, with whatever signature, only ours is checked and accepted."""
    parts = [json.dumps({"alg": algorithm}), json.dumps({"role": "service_role", "x": payload}), ""]
    token = ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "PGRST301"):
        verify(token, KEYS.jwt_secret, now=NOW)


@given(st.integers(0, 400), st.sampled_from("abcXYZ019-_"))
def test_one_changed_letter_breaks_a_token(place: int, letter: str) -> None:
    """No letter of a token can be another."""
    token = KEYS.service_key
    place %= len(token) - 1  # the last letter holds bits that mean nothing
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(Refusal):
            verify(changed, KEYS.jwt_secret, now=NOW)


def test_keys_do_not_show_themselves() -> None:
    """Printing the keys of a project prints none of them."""
    shown = f"{KEYS} {KEYS!r}"
    assert not any(key in shown for key in (KEYS.jwt_secret, KEYS.service_key, KEYS.secret_key))
