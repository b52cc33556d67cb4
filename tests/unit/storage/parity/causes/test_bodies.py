"""Causes that look through a JSON body: encoded again, stripped, keys in another case, and what is still below."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.vocabulary import Cause, StoreName
from storage.parity.causes.bodies import snake_case
from tests.support.row_pairs import BODY, PRISMA, SUPABASE, body, make_row, on, told, why
from tests.support.row_pairs import explained as explained_rows

both_stores = pytest.mark.parametrize("store", list(StoreName))
ENVELOPE = ("id", "type", "title", "metadata")


def encoded(text: str, times: int = 1) -> str:
    """Return a JSON text as a JSON string, so many times."""
    for _ in range(times):
        text = json.dumps(text)
    return text


def renamed(value: Any, **keys: str) -> Any:
    """Return a document with some keys renamed at every depth."""
    if isinstance(value, dict):
        return {keys.get(key, key): renamed(child, **keys) for key, child in value.items()}
    return [renamed(child, **keys) for child in value] if isinstance(value, list) else value


@both_stores
@pytest.mark.parametrize("column", ["content", "metadata", "storage"])
def test_double_encoded_columns(store: StoreName, column: str) -> None:
    """A JSON string that holds the other side's value, however it is written, names that."""
    text = make_row(store)[column]
    pretty = json.dumps(json.loads(text or ""), indent=2, ensure_ascii=True)
    changes = on(store, {column: encoded(pretty)})
    assert why(*changes) == {column: Cause.DOUBLE_ENCODED_JSON}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.fields) == (store, (column,))
    assert explanation.detail == f"a JSON string on {store}"


@both_stores
@pytest.mark.parametrize("sound", ['["a"]', "[]", "{}", '"plain"', "null", '{"a": 1.0}'])
def test_double_encoded_values(store: StoreName, sound: str) -> None:
    """Lists, empty objects, strings and null can be encoded again as well; numbers are compared by value."""
    changes = on(store, {"storage": encoded(sound)}, {"storage": sound.replace("1.0", "1.00")})
    assert why(*changes) == {"storage": Cause.DOUBLE_ENCODED_JSON}


@both_stores
def test_a_part_of_a_body_can_be_double_encoded(store: StoreName) -> None:
    """Encoding again is recognised at any path."""
    part = body(metadata=json.dumps(BODY["metadata"]))
    assert why(*on(store, {"content": part})) == {"content.metadata": Cause.DOUBLE_ENCODED_JSON}


@both_stores
def test_encoded_several_times(store: StoreName) -> None:
    """A body that was encoded again on every save says how often."""
    (explanation,) = told(*on(store, {"content": encoded(body(), 3)}))
    assert explanation.cause is Cause.DOUBLE_ENCODED_JSON
    assert explanation.detail == f"a JSON string, encoded 3 times over, on {store}"


@both_stores
@pytest.mark.parametrize(
    ("string", "sound"),
    [
        (encoded(body()[:-1]), body()),
        (encoded('{"id": 1}'), body()),
        (encoded("{}"), body()),
        (encoded("[1]"), body()),
        (encoded('["b"]'), '["a"]'),
        (encoded("plain"), body()),
        (encoded(""), "null"),
        (encoded('"other"'), '"plain"'),
        (encoded("plain text"), '"another text"'),
        (encoded('{"a": "\\u0000"}'), '{"a": ""}'),
        ("[]", body()),
        ("null", body()),
    ],
)
def test_double_encoding_decoys(store: StoreName, string: str, sound: str) -> None:
    """A string that holds no JSON, or that of something else, is unexplained."""
    assert why(*on(store, {"content": string}, {"content": sound})) == {"content": Cause.UNEXPLAINED}


@both_stores
@pytest.mark.parametrize(
    ("inner", "fields", "cause"),
    [
        ({"title": "CAFÉ 거리의 아침"}, ["content.title"], Cause.TEXT_CASE),
        ({"durationSec": "12.5"}, ["content.durationSec"], Cause.JSON_SCALAR_AS_TEXT),
        ({"durationSec": 13}, ["content.durationSec"], Cause.NUMBER_ROUNDED),
        ({"finalPrompt": "Another"}, ["content.finalPrompt"], Cause.UNEXPLAINED),
        (dict.fromkeys(ENVELOPE, ...), [f"content.{key}" for key in sorted(ENVELOPE)], Cause.JSON_STRIPPED),
        ({"metadata": json.dumps(BODY["metadata"])}, ["content.metadata"], Cause.DOUBLE_ENCODED_JSON),
    ],
)
def test_double_encoding_and_another_cause(
    store: StoreName, inner: dict[str, Any], fields: list[str], cause: Cause
) -> None:
    """What differs inside a body that was encoded again is explained as well; both causes are named."""
    changes = on(store, {"content": encoded(body(**inner))})
    assert why(*changes) == {"content": Cause.DOUBLE_ENCODED_JSON, **dict.fromkeys(fields, cause)}
    assert {explanation.cause for explanation in told(*changes)} == {Cause.DOUBLE_ENCODED_JSON, cause}


def test_a_list_encoded_again_with_another_entry() -> None:
    """Two lists with an entry in common are two states of one list."""
    assert why({"storage": encoded('["a", "b"]')}, {"storage": '["a", "c"]'}) == {
        "storage": Cause.DOUBLE_ENCODED_JSON,
        "storage.1": Cause.UNEXPLAINED,
    }


def test_each_side_encoded_another_number_of_times() -> None:
    """Two strings are compared as strings: what both sides do is no difference."""
    assert why({"storage": encoded("{}", 2)}, {"storage": encoded("{}", 1)}) == {"storage": Cause.DOUBLE_ENCODED_JSON}


@both_stores
@pytest.mark.parametrize("keys", [ENVELOPE, ("metadata",), ("title",), ("id", "type")])
def test_stripped_bodies(store: StoreName, keys: tuple[str, ...]) -> None:
    """A body without its envelope, or a part of it, names what is gone."""
    changes = on(store, {"content": body(**dict.fromkeys(keys, ...))})
    assert why(*changes) == {f"content.{key}": Cause.JSON_STRIPPED for key in sorted(keys)}
    (explanation,) = told(*changes)
    assert (explanation.store, explanation.fields) == (store, ("content",))
    assert explanation.detail == f"without {', '.join(f'`{key}`' for key in sorted(keys))} on {store}"


@both_stores
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"keywords": ...}, {}),
        ({"keywords": ..., "metadata": ...}, {}),
        ({"id": ...}, {"metadata": ...}),
        ({"id": None}, {}),
    ],
)
def test_stripping_decoys(store: StoreName, one: dict[str, Any], other: dict[str, Any]) -> None:
    """A body that lacks other keys, or lacks some on both sides, or holds null, is unexplained."""
    found = why(*on(store, {"content": body(**one)}, {"content": body(**other)}))
    assert set(found.values()) == {Cause.UNEXPLAINED}


def test_only_the_body_is_stripped() -> None:
    """The same keys missing in another column, or deeper, are no stripped body."""
    gone = json.dumps({**BODY["metadata"], "title": "x"})
    assert why({}, {"metadata": gone}) == {"metadata.title": Cause.UNEXPLAINED}
    deeper = body(metadata={**BODY["metadata"], "id": "x"})
    assert why({"content": deeper}, {}) == {"content.metadata.id": Cause.UNEXPLAINED}


def test_stripped_and_another_cause() -> None:
    """A stripped body with another fault in what is left names both."""
    stripped = body(**dict.fromkeys(ENVELOPE, ...), durationSec="12.5", finalPrompt="Another")
    found = {explanation.cause for explanation in told({"content": stripped}, {})}
    assert found == {Cause.JSON_STRIPPED, Cause.JSON_SCALAR_AS_TEXT, Cause.UNEXPLAINED}


@both_stores
def test_key_case(store: StoreName) -> None:
    """Keys in snake_case are the same keys in camelCase; the words say where they are in snake_case."""
    snake = json.dumps(renamed(BODY, finalPrompt="final_prompt", userId="user_id"))
    changes = on(store, {"content": snake})
    assert why(*changes) == {
        "content.finalPrompt": Cause.JSON_KEY_CASE,
        "content.final_prompt": Cause.JSON_KEY_CASE,
        "content.metadata.userId": Cause.JSON_KEY_CASE,
        "content.metadata.user_id": Cause.JSON_KEY_CASE,
    }
    (explanation,) = told(*changes)
    assert explanation.fields == ("content", "content.metadata")
    assert (explanation.store, explanation.detail) == (None, f"written with snake_case keys on {store}")


@both_stores
def test_key_case_and_another_cause(store: StoreName) -> None:
    """A renamed key whose value differs too names both; the path shows both spellings."""
    one = body(durationSec=..., duration_sec="12.5", metadata=..., meta_data={"a": {"userId": 1}})
    other = body(metadata=..., metaData={"a": {"user_id": 2}})
    found = why(*on(store, {"content": one}, {"content": other}))
    spelt = ("metaData|meta_data", "durationSec|duration_sec")
    if store is PRISMA:
        spelt = ("meta_data|metaData", "duration_sec|durationSec")
    inner = ("userId|user_id",) if store is PRISMA else ("user_id|userId",)
    assert found == {
        **dict.fromkeys((f"content.{key}" for key in ("durationSec", "duration_sec")), Cause.JSON_KEY_CASE),
        **dict.fromkeys((f"content.{key}" for key in ("metaData", "meta_data")), Cause.JSON_KEY_CASE),
        f"content.{spelt[0]}.a.userId": Cause.JSON_KEY_CASE,
        f"content.{spelt[0]}.a.user_id": Cause.JSON_KEY_CASE,
        f"content.{spelt[0]}.a.{inner[0]}": Cause.UNEXPLAINED,
        f"content.{spelt[1]}": Cause.JSON_SCALAR_AS_TEXT,
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"finalPrompt": 1}, {"final_text": 1}),
        ({"Title": 1}, {"title": 1}),
        ({"userID": 1}, {"userId": 1}),
        ({"final_prompt": 1}, {"finalprompt": 1}),
        ({"user_Id": 1}, {"user_id": 1}),
        ({"aB": 1, "a_b": 1}, {"a_b": 1}),
        ({"userId": 1, "userID": 1}, {"user_id": 1}),
    ],
)
def test_key_case_decoys(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Keys that differ in more than camelCase and snake_case, or of which there are three, are unexplained."""
    found = why({"storage": json.dumps(one)}, {"storage": json.dumps(other)})
    assert set(found.values()) == {Cause.UNEXPLAINED}


@pytest.mark.parametrize(
    ("camel", "snake"),
    [
        ("finalPrompt", "final_prompt"),
        ("userID", "user_id"),
        ("videoURLList", "video_url_list"),
        ("act1Title", "act1_title"),
        ("already_so", "already_so"),
        ("Capital", "Capital"),
        ("", ""),
        ("열쇠", "열쇠"),
    ],
)
def test_snake_case(camel: str, snake: str) -> None:
    """A key is split before its capitals; a capital at the start stays one."""
    assert snake_case(camel) == snake


def test_the_title_inside_a_body_can_be_made_up() -> None:
    """The title of a body is made up like the column, at that path only."""
    made_up = "prompt - 2026-01-15T04:05:06.789Z"
    assert why({"content": body(title="  ")}, {"content": body(title=made_up)}) == {
        "content.title": Cause.TITLE_FALLBACK
    }
    assert why({"content": body(finalPrompt="  ")}, {"content": body(finalPrompt=made_up)}) == {
        "content.finalPrompt": Cause.UNEXPLAINED
    }


def test_inner_differences_carry_values_and_classification() -> None:
    """A difference that shows only inside another is a full one: both values, and who may see them."""
    fields, _ = explained_rows(make_row(PRISMA, content=encoded(body(durationSec=13))), make_row(SUPABASE))
    assert [(f.field, f.primary, f.secondary, str(f.classification)) for f in fields[1:]] == [
        ("content.durationSec", "13", "12.5", "internal")
    ]
