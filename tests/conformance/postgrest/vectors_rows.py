"""Vectors about reading rows: filters, trees of them, selections, casts, order."""

from __future__ import annotations

from typing import Any

from tests.conformance.postgrest.vector import Vector

TABLES = "references/api/tables_views.html"
GRAMMAR = "references/api/url_grammar.html"
ERRORS = "references/errors.html"


def _ids(page: str, query: str, *ids: int) -> Vector:
    """Return a read of `tv_people` that finds these rows."""
    request = f"GET tv_people?select=id&order=id&{query}"
    return Vector(page=page, request=request, body=[{"id": number} for number in ids])


def _rows(page: str, request: str, body: Any) -> Vector:
    return Vector(page=page, request=f"GET {request}", body=body)


def _refused(page: str, request: str, code: str, status: int = 400) -> Vector:
    return Vector(page=page, request=f"GET {request}", status=status, code=code)


FILTERS = [
    _ids(f"{TABLES}#h-filter", "age=lt.18", 2),
    _ids(f"{TABLES}#h-filter", "age=gte.18&active=is.true", 1, 4),
    _ids(f"{TABLES}#operators", "age=eq.18", 3, 5),
    _ids(f"{TABLES}#operators", "age=neq.18", 1, 2, 4),
    _ids(f"{TABLES}#operators", "age=gt.36", 4),
    _ids(f"{TABLES}#operators", "age=lte.18", 2, 3, 5),
    _ids(f"{TABLES}#operators", "name=like.*o*", 2, 4),
    _ids(f"{TABLES}#operators", "name=like.%25o%25", 2, 4),
    _ids(f"{TABLES}#operators", "name=like.*50\\%25*", 4),
    _ids(f"{TABLES}#operators", "name=ilike.E*", 5),
    _ids(f"{TABLES}#pattern-matching", "name=match.^[AB]", 1, 2),
    _ids(f"{TABLES}#pattern-matching", "name=imatch.^[ae]", 1, 5),
    _ids(f"{TABLES}#operators", "id=in.(1,3,7)", 1, 3),
    _ids(f"{TABLES}#operators", 'name=in.("Ada","Dora 50%25")', 1, 4),
    _ids(f"{TABLES}#operators", "data=is.null", 3),
    _ids(f"{TABLES}#operators", "data=is.not_null", 1, 2, 4, 5),
    _ids(f"{TABLES}#operators", "active=is.false", 2, 5),
    _ids(f"{TABLES}#operators", "active=is.unknown", 3),
    _ids(f"{TABLES}#operators", "age=isdistinct.18", 1, 2, 4),
    _ids(f"{TABLES}#operators", "active=isdistinct.true", 2, 3, 5),
    _ids(f"{TABLES}#operators", "tags=cs.{math}", 1, 4),
    _ids(f"{TABLES}#operators", "tags=cd.{a,b,c}", 2, 3),
    _ids(f"{TABLES}#operators", "tags=ov.{a,engine}", 1, 3),
    _ids(f"{TABLES}#logical-operators", "age=not.eq.18", 1, 2, 4),
    _ids(f"{TABLES}#logical-operators", "data=not.is.null", 1, 2, 4, 5),
    _ids(f"{TABLES}#logical-operators", "id=not.in.(1,2,3)", 4, 5),
    _ids(f"{TABLES}#logical-operators", "or=(age.lt.18,age.gt.36)", 2, 4),
    _ids(f"{TABLES}#logical-operators", "and=(age.gte.18,age.lte.36)", 1, 3, 5),
    _ids(f"{TABLES}#logical-operators", "not.and=(age.gte.18,age.lte.36)", 2, 4),
    _ids(f"{TABLES}#logical-operators", "not.or=(age.eq.18,age.eq.17)", 1, 4),
    _ids(f"{TABLES}#logical-operators", "age=gte.18&or=(id.eq.3,not.and(age.gte.11,age.lte.36))", 3, 4),
    _ids(f"{TABLES}#logical-operators", "or=(id.gt.4,and(id.eq.2,name.eq.Bob))", 2, 5),
    _ids(f"{TABLES}#logical-operators", "or=(id.in.(1,2),name.like.D*)", 1, 2, 4),
    _ids(f"{TABLES}#logical-operators", "or=(data.is.null,data.not.is.null)", 1, 2, 3, 4, 5),
    _ids(f"{TABLES}#logical-operators", 'or=(name.eq."Cy, the \\"third\\"",id.eq.5)', 3, 5),
    _ids(f"{TABLES}#logical-operators", "or=(tags.cs.{a,b},id.eq.1)", 1, 3),
    _ids(f"{TABLES}#modifiers", "name=like(any).{A*,B*}", 1, 2),
    _ids(f"{TABLES}#modifiers", "name=like(all).{D*,*50*}", 4),
    _ids(f"{TABLES}#modifiers", "id=eq(any).{1,5}", 1, 5),
    _ids(f"{TABLES}#json-columns", "data->>city=eq.London", 1, 4),
    _ids(f"{TABLES}#json-columns", "data->born=gt.1900", 2, 4),
    _ids(f"{TABLES}#json-columns", "data->langs->>0=eq.en", 1),
    _ids(f"{TABLES}#composite-array-columns", "tags->>0=eq.math", 1, 4),
    _ids(f"{GRAMMAR}#reserved-chars", 'name=in.("Cy, the \\"third\\"")', 3),
    _ids(f"{GRAMMAR}#reserved-chars", 'name=in.("eve\\\\x")', 5),
    _ids(f"{GRAMMAR}#reserved-chars", "name=eq.eve\\x", 5),
    _rows(f"{GRAMMAR}#tabs-cols-w-spaces", "tv%20order%20items?select=id&Unit%20Price=lt.200", [{"id": 1}]),
    _rows(f"{GRAMMAR}#reserved-chars", 'tv%20order%20items?select=id&"dotted.name"=eq.b', [{"id": 2}]),
]

SELECTIONS = [
    _rows(f"{TABLES}#v-filter", "tv_people?select=name,age&id=eq.1", [{"name": "Ada", "age": 36}]),
    _rows(f"{TABLES}#v-filter", "tv_pairs?order=a,b&limit=1", [{"a": 1, "b": "x", "note": "one"}]),
    _rows(f"{TABLES}#v-filter", "tv_pairs?select=*&order=a,b&limit=1", [{"a": 1, "b": "x", "note": "one"}]),
    _rows(f"{TABLES}#v-filter", "tv_adults?select=id&order=id", [{"id": 1}, {"id": 3}, {"id": 4}, {"id": 5}]),
    _rows(f"{TABLES}#renaming-columns", "tv_people?select=fullName:name&id=eq.1", [{"fullName": "Ada"}]),
    _rows(f"{TABLES}#renaming-columns", "tv_people?select=a:id,b:id::text&id=eq.1", [{"a": 1, "b": "1"}]),
    _rows(
        f"{TABLES}#casting-columns",
        "tv_people?select=score::text&id=eq.1",
        [{"score": "12345678901234567890.0123456789"}],
    ),
    _rows(f"{TABLES}#casting-columns", "tv_people?select=born::text&id=eq.5", [{"born": "9999-12-31"}]),
    _rows(f"{TABLES}#casting-columns", "tv_people?select=tags::text&id=eq.1", [{"tags": "{math,engine}"}]),
    _rows(f"{TABLES}#casting-columns", "tv_people?select=n:score::text&id=eq.3", [{"n": None}]),
    _rows(f"{TABLES}#json-columns", "tv_people?select=data->>city&id=eq.1", [{"city": "London"}]),
    _rows(f"{TABLES}#json-columns", "tv_people?select=data->langs&id=eq.1", [{"langs": ["en", "fr"]}]),
    _rows(f"{TABLES}#json-columns", "tv_people?select=first:data->langs->>0&id=eq.1", [{"first": "en"}]),
    _rows(f"{TABLES}#composite-array-columns", "tv_people?select=primary:tags->0&id=eq.1", [{"primary": "math"}]),
]

ORDERS = [
    _rows(f"{TABLES}#ordering", "tv_codes?select=id&order=n.desc", [{"id": 2}, {"id": 1}]),
    _rows(f"{TABLES}#ordering", "tv_codes?select=id&order=n", [{"id": 1}, {"id": 2}]),
    _rows(f"{TABLES}#ordering", "tv_people?select=id&order=age.desc,id.desc", [{"id": n} for n in (4, 1, 5, 3, 2)]),
    _rows(f"{TABLES}#ordering", "tv_people?select=id&order=born.nullsfirst&limit=1", [{"id": 3}]),
    _rows(f"{TABLES}#ordering", "tv_people?select=id&order=born.desc.nullslast&limit=1", [{"id": 5}]),
    _rows(f"{TABLES}#ordering", "tv_people?select=id&order=born.desc&limit=1", [{"id": 3}]),
    _rows(
        f"{TABLES}#json-columns",
        "tv_people?select=id&order=data->>born.desc.nullslast,id&limit=2",
        [{"id": 2}, {"id": 4}],
    ),
]

REFUSED = [
    _refused(f"{ERRORS}#pgrst100", "tv_people?age=18", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?age=foo.18", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?age=eq", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?id=in.1,2", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?id=in.(1,2", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?data=is.nil", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?or=(age.lt.18,age.gt.36", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?or=()", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?or=(age)", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?order=age.sideways", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?order=age.asc.nullsmiddle", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?select=id,(name)", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?select=id::", "PGRST100"),
    _refused(f"{ERRORS}#pgrst100", "tv_people?select=tags::text[]", "PGRST100"),
    _refused(f"{TABLES}#casting-columns", "tv_people?id::text=eq.1", "PGRST100"),
    _refused(f"{ERRORS}#pgrst108", "tv_people?tv_children.id=eq.1", "PGRST108"),
    _refused(f"{ERRORS}#pgrst123", "tv_people?select=age.sum()", "PGRST123"),
    _refused(f"{ERRORS}#pgrst205", "tv_missing", "PGRST205", 404),
    _refused(f"{ERRORS}#pgrst125", "tv_people/1", "PGRST125", 404),
    _refused(f"{ERRORS}#status-codes", "tv_people?select=missing", "42703"),
    _refused(f"{ERRORS}#status-codes", "tv_people?missing=eq.1", "42703"),
    _refused(f"{ERRORS}#status-codes", "tv_people?order=missing", "42703"),
    _refused(f"{ERRORS}#status-codes", "tv_people?id=eq.one", "22P02"),
    _refused(f"{ERRORS}#status-codes", "tv_people?id=in.(1,two)", "22P02"),
    _refused(f"{ERRORS}#status-codes", "tv_people?born=gt.2021-02-30", "22008"),
    _refused(f"{ERRORS}#status-codes", "tv_people?name=match.(", "2201B"),
    _refused(f"{ERRORS}#status-codes", "tv_people?select=id::nonsense", "42704"),
]

VECTORS = [*FILTERS, *SELECTIONS, *ORDERS, *REFUSED]
