"""Vectors about changing rows: inserts, upserts, updates, deletes, and the preferences that go with them."""

from __future__ import annotations

from tests.conformance.postgrest.vector import Vector, Who

TABLES = "references/api/tables_views.html"
PREFER = "references/api/preferences.html"
FORMS = "references/api/resource_representation.html"
ERRORS = "references/errors.html"
WHOLE = {"Prefer": "return=representation"}
MERGE = {"Prefer": "resolution=merge-duplicates, return=representation"}
CODES = "tv_codes?select=id,code,n&order=id"
ONE, TWO = {"id": 1, "code": "one", "n": 10}, {"id": 2, "code": "two", "n": 20}
STRICT = "handling=strict, max-affected="

INSERTS = [
    Vector(
        page=f"{TABLES}#insert",
        request="POST tv_codes",
        sends={"id": 3, "code": "three"},
        status=201,
        body=None,
        says={"Content-Type": None, "Location": None},
        then=(CODES, [ONE, TWO, {"id": 3, "code": "three", "n": None}]),
    ),
    Vector(
        page=f"{PREFER}#prefer-return",
        request="POST tv_codes",
        sends={"id": 3},
        headers=WHOLE,
        status=201,
        body=[{"id": 3, "code": None, "n": None}],
        says={"Preference-Applied": "return=representation"},
    ),
    Vector(
        page=f"{PREFER}#prefer-return",
        request="POST tv_codes?select=id",
        sends={"id": 3},
        headers=WHOLE,
        status=201,
        body=[{"id": 3}],
    ),
    Vector(
        page=f"{PREFER}#prefer-return",
        request="POST tv_codes",
        sends={"id": 3},
        headers={"Prefer": "return=minimal"},
        status=201,
        body=None,
        says={"Preference-Applied": "return=minimal"},
    ),
    Vector(
        page=f"{PREFER}#prefer-return",
        request="POST tv_codes",
        sends={"id": 3},
        headers={"Prefer": "return=headers-only"},
        status=201,
        body=None,
        says={"Location": "/tv_codes?id=eq.3", "Preference-Applied": "return=headers-only"},
    ),
    Vector(
        page=f"{PREFER}#prefer-return",
        request="POST tv_pairs",
        sends={"a": 7, "b": "z"},
        headers={"Prefer": "return=headers-only"},
        status=201,
        says={"Location": "/tv_pairs?a=eq.7&b=eq.z"},
    ),
    Vector(
        page=f"{FORMS}#singular-plural",
        request="POST tv_codes",
        sends={"id": 3},
        headers={**WHOLE, "Accept": "application/vnd.pgrst.object+json"},
        status=201,
        body={"id": 3, "code": None, "n": None},
    ),
    Vector(
        page=f"{TABLES}#bulk-insert",
        request="POST tv_codes",
        sends=[{"id": 3, "code": "c"}, {"id": 4, "code": "d"}],
        headers={"Prefer": "return=representation, count=exact"},
        status=201,
        body=[{"id": 3, "code": "c", "n": None}, {"id": 4, "code": "d", "n": None}],
        says={"Content-Range": "*/2"},
    ),
    Vector(page=f"{TABLES}#bulk-insert", request="POST tv_codes", sends=[], headers=WHOLE, status=201, body=[]),
    Vector(
        page=f"{TABLES}#specify-columns",
        request="POST tv_codes?columns=id,code",
        sends=[{"id": 3, "code": "c", "n": 1, "nonsense": 2}, {"id": 4}],
        headers=WHOLE,
        status=201,
        body=[{"id": 3, "code": "c", "n": None}, {"id": 4, "code": None, "n": None}],
    ),
    Vector(
        page=f"{PREFER}#prefer-missing",
        request="POST tv_defaults?columns=id,bar,baz&select=bar,baz",
        sends=[{"bar": "val1"}, {"bar": "val2", "baz": 15}],
        headers={"Prefer": "missing=default, return=representation"},
        status=201,
        body=[{"bar": "val1", "baz": 100}, {"bar": "val2", "baz": 15}],
        says={"Preference-Applied": "missing=default, return=representation"},
    ),
    Vector(
        page=f"{PREFER}#prefer-missing",
        request="POST tv_defaults?columns=id,bar,baz",
        sends=[{"id": 1, "bar": "val1"}],
        headers=WHOLE,
        status=201,
        body=[{"id": 1, "bar": "val1", "baz": None}],
    ),
    Vector(
        page=f"{TABLES}#insert",
        request="POST tv_defaults?select=bar,baz",
        sends={"bar": "x"},
        headers=WHOLE,
        status=201,
        body=[{"bar": "x", "baz": 100}],
    ),
    Vector(
        page=f"{TABLES}#insert",
        request="POST tv_defaults?select=bar,baz",
        sends={},
        headers=WHOLE,
        status=201,
        body=[{"bar": None, "baz": 100}],
    ),
    Vector(
        page=f"{TABLES}#insert",
        request="POST tv_people?select=score::text,tags,data,born",
        sends=b'{"id": 9, "name": "n", "score": 12345678901234567890.0123456789, "tags": ["a,b", "c\\"d"], '
        b'"data": {"x": 1e400}, "born": "0044-03-15 BC"}',
        headers=WHOLE,
        status=201,
    ),
    Vector(
        page=f"{PREFER}#prefer-tx",
        request="POST tv_codes",
        sends={"id": 3},
        headers={"Prefer": "tx=rollback"},
        status=201,
        says={"Preference-Applied": None},
        then=("tv_codes?select=id&id=eq.3", [{"id": 3}]),
    ),
    Vector(
        page=f"{TABLES}#insert",
        request="POST tv_unkeyed",
        who=Who.ANON,
        sends={"a": 1, "b": "written, not read"},
        status=201,
        then=("tv_unkeyed?select=b", [{"b": "written, not read"}]),
    ),
]

UPSERTS = [
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_codes",
        sends=[{"id": 2, "code": "zwei", "n": 2}, {"id": 3, "code": "drei", "n": 3}],
        headers=MERGE,
        status=201,
        body=[{"id": 2, "code": "zwei", "n": 2}, {"id": 3, "code": "drei", "n": 3}],
        says={"Preference-Applied": "resolution=merge-duplicates, return=representation"},
    ),
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_codes",
        sends=[{"id": 2, "n": 2}],
        headers=MERGE,
        status=200,
        body=[{"id": 2, "code": "two", "n": 2}],
    ),
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_codes",
        sends=[{"id": 2, "code": "zwei"}, {"id": 3, "code": "drei"}],
        headers={"Prefer": "resolution=ignore-duplicates, return=representation"},
        status=201,
        body=[{"id": 3, "code": "drei", "n": None}],
        then=("tv_codes?select=code&id=eq.2", [{"code": "two"}]),
    ),
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_pairs",
        sends=[{"a": 1, "b": "y", "note": "new"}, {"a": 3, "b": "y", "note": "newer"}],
        headers=MERGE,
        status=201,
        body=[{"a": 1, "b": "y", "note": "new"}, {"a": 3, "b": "y", "note": "newer"}],
    ),
    Vector(
        page=f"{TABLES}#on-conflict",
        request="POST tv_codes?on_conflict=code",
        sends=[{"id": 2, "code": "two", "n": 7}],
        headers=MERGE,
        status=200,
        body=[{"id": 2, "code": "two", "n": 7}],
    ),
    Vector(
        page=f"{TABLES}#on-conflict",
        request="POST tv_codes?on_conflict=code",
        sends=[{"id": 5, "code": "two"}],
        headers={"Prefer": "resolution=ignore-duplicates, return=representation"},
        status=201,
        body=[],
    ),
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_defaults?columns=id,bar&select=bar,baz",
        sends=[{"id": 1000, "bar": "updated"}, {"bar": "new"}],
        headers={"Prefer": "resolution=merge-duplicates, missing=default, return=representation"},
        status=201,
        body=[{"bar": "updated", "baz": 1}, {"bar": "new", "baz": 100}],
    ),
    Vector(
        page=f"{TABLES}#upsert",
        request="POST tv_unkeyed",
        sends=[{"a": 1, "b": "x"}],
        headers=MERGE,
        status=201,
        body=[{"a": 1, "b": "x"}],
        says={"Preference-Applied": "return=representation"},
    ),
    Vector(page=f"{TABLES}#upsert", request="POST tv_codes", sends=[], headers=MERGE, status=200, body=[]),
]

UPDATES = [
    Vector(
        page=f"{TABLES}#update",
        request="PATCH tv_people?age=lt.18",
        sends={"name": "child"},
        status=204,
        body=None,
        says={"Content-Range": "0-0/*"},
        then=("tv_people?select=name&id=eq.2", [{"name": "child"}]),
    ),
    Vector(
        page=f"{TABLES}#update",
        request="PATCH tv_codes?id=eq.1",
        sends={"n": 11},
        headers={"Prefer": "return=representation, count=exact"},
        body=[{"id": 1, "code": "one", "n": 11}],
        says={"Content-Range": "0-0/1"},
    ),
    Vector(page=f"{TABLES}#update", request="PATCH tv_codes?id=eq.99", sends={"n": 1}, headers=WHOLE, body=[]),
    Vector(page=f"{TABLES}#update", request="PATCH tv_codes?id=eq.1", sends={}, status=204, then=(CODES, [ONE, TWO])),
    Vector(
        page=f"{TABLES}#update",
        request="PATCH tv_codes?columns=n&id=gt.0",
        sends={"n": 5, "code": "ignored"},
        headers={"Prefer": "return=representation"},
        body=[{"id": 1, "code": "one", "n": 5}, {"id": 2, "code": "two", "n": 5}],
    ),
    Vector(
        page=f"{PREFER}#prefer-missing",
        request="PATCH tv_defaults?id=eq.1000&columns=bar,baz",
        sends={"bar": "x"},
        headers={"Prefer": "missing=default, return=representation"},
        body=[{"id": 1000, "bar": "x", "baz": 100}],
    ),
    Vector(
        page=f"{PREFER}#prefer-max-affected",
        request="PATCH tv_codes?id=eq.1",
        sends={"n": 0},
        headers={"Prefer": f"{STRICT}1"},
        status=204,
        says={"Preference-Applied": "handling=strict, max-affected=1"},
    ),
    Vector(
        page=f"{PREFER}#prefer-max-affected",
        request="PATCH tv_codes?id=gt.0",
        sends={"n": 0},
        headers={"Prefer": "max-affected=1"},
        status=204,
        then=("tv_codes?select=n&order=id", [{"n": 0}, {"n": 0}]),
    ),
]

DELETES = [
    Vector(
        page=f"{TABLES}#delete",
        request="DELETE tv_codes?id=eq.1",
        status=204,
        body=None,
        says={"Content-Range": "*/*"},
        then=(CODES, [TWO]),
    ),
    Vector(
        page=f"{TABLES}#delete",
        request="DELETE tv_codes?id=eq.1",
        headers={"Prefer": "return=representation, count=exact"},
        body=[ONE],
        says={"Content-Range": "*/1"},
    ),
    Vector(page=f"{TABLES}#delete", request="DELETE tv_codes?id=eq.99&select=id", headers=WHOLE, body=[]),
    Vector(
        page=f"{TABLES}#delete",
        request="DELETE tv_pairs?or=(and(a.eq.1,b.eq.y),and(a.eq.2,b.eq.x))&select=note&order=a",
        headers=WHOLE,
        body=[{"note": "two"}, {"note": "three"}],
    ),
]


def _refused(request: str, code: str, status: int = 400, **further: object) -> Vector:
    page = f"{ERRORS}#{code.lower()}" if code.startswith("PGRST") else f"{ERRORS}#status-codes"
    return Vector(page=page, request=request, code=code, status=status, **further)  # type: ignore[arg-type]  # attributes of Vector


REFUSED = [
    _refused("POST tv_codes", "23505", 409, sends={"id": 1}, then=(CODES, [ONE, TWO])),
    _refused("POST tv_codes", "23505", 409, sends=[{"id": 8}, {"id": 1}], then=(CODES, [ONE, TWO])),
    _refused("POST tv_children", "23503", 409, sends={"id": 5, "parent": 77}),
    _refused("DELETE tv_people?id=eq.1", "23503", 409),
    _refused("POST tv_people", "23502", 400, sends={"id": 9}),
    _refused("POST tv_people", "23514", 400, sends={"id": 9, "name": "x", "age": -1}),
    _refused("POST tv_people", "22P02", 400, sends={"id": "nine", "name": "x"}),
    _refused("POST tv_people", "22003", 400, sends={"id": 99999999999, "name": "x"}),
    _refused("POST tv_people", "PGRST102", 400, sends=b'{"id": 9'),
    _refused("POST tv_people", "PGRST102", 400, sends=b""),
    _refused("POST tv_codes", "PGRST102", 400, sends=[{"id": 8}, {"id": 9, "n": 1}]),
    _refused("POST tv_codes", "PGRST102", 400, sends=[{"id": 8}, 9]),
    _refused("POST tv_codes", "PGRST102", 400, sends=b"<id>8</id>", headers={"Content-Type": "text/html"}),
    _refused("POST tv_codes", "PGRST204", 400, sends={"id": 8, "missing": 1}),
    _refused("POST tv_codes?columns=id,missing", "PGRST204", 400, sends={"id": 8}),
    _refused("PATCH tv_codes?id=eq.1", "PGRST204", 400, sends={"missing": 1}),
    _refused("POST tv_missing", "PGRST205", 404, sends={"id": 8}),
    _refused("POST tv_codes", "21000", 500, sends=[{"id": 8}, {"id": 8}], headers=MERGE),
    _refused("POST tv_codes?on_conflict=n", "42P10", 400, sends={"id": 8, "n": 1}, headers=MERGE),
    _refused("POST tv_codes", "23505", 409, sends={"id": 8, "code": "two"}, headers=MERGE),
    _refused("PATCH tv_codes?id=eq.2", "23505", 409, sends={"code": "one"}),
    _refused("PATCH tv_codes?missing=eq.2", "42703", 400, sends={"n": 1}),
    _refused("POST tv_closed", "42501", 403, sends={"id": 1}),
    _refused("POST tv_codes", "42501", 401, sends={"id": 8}, who=Who.ANON),
    _refused("DELETE tv_people?id=eq.5", "42501", 401, who=Who.ANON),
    Vector(
        page=f"{PREFER}#prefer-max-affected",
        request="PATCH tv_codes?id=gt.0",
        sends={"n": 0},
        headers={"Prefer": f"{STRICT}1"},
        status=400,
        code="PGRST124",
        then=(CODES, [ONE, TWO]),
    ),
    Vector(
        page=f"{PREFER}#prefer-max-affected",
        request="DELETE tv_codes?id=gt.0",
        headers={"Prefer": f"{STRICT}1"},
        status=400,
        code="PGRST124",
        then=(CODES, [ONE, TWO]),
    ),
    Vector(
        page=f"{PREFER}#prefer-handling",
        request="POST tv_codes",
        sends={"id": 8},
        headers={"Prefer": "handling=strict, foo, bar"},
        status=400,
        code="PGRST122",
        then=(CODES, [ONE, TWO]),
    ),
    Vector(
        page=f"{FORMS}#singular-plural",
        request="PATCH tv_codes?id=gt.0",
        sends={"n": 0},
        headers={**WHOLE, "Accept": "application/vnd.pgrst.object+json"},
        status=406,
        code="PGRST116",
        then=(CODES, [ONE, TWO]),
    ),
]

VECTORS = [*INSERTS, *UPSERTS, *UPDATES, *DELETES, *REFUSED]
