"""Vectors about how much comes back: limits, ranges, counts, the row cap, HEAD, and the form of the answer."""

from __future__ import annotations

from tests.conformance.postgrest.vector import Vector, Who

PAGES = "references/api/pagination_count.html"
FORMS = "references/api/resource_representation.html"
ERRORS = "references/errors.html"
TABLES = "references/api/tables_views.html"
MAX_ROWS = "references/configuration.html#db-max-rows"
EXACT = {"Prefer": "count=exact"}
ONE = {"Accept": "application/vnd.pgrst.object+json"}

LIMITS = [
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id&limit=2",
        body=[{"id": 1}, {"id": 2}],
        says={"Content-Range": "0-1/*"},
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id&limit=2&offset=3",
        body=[{"id": 4}, {"id": 5}],
        says={"Content-Range": "3-4/*"},
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id&offset=4",
        body=[{"id": 5}],
        says={"Content-Range": "4-4/*"},
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id&limit=10",
        says={"Content-Range": "0-4/*"},
    ),
    Vector(page=f"{PAGES}#limits", request="GET tv_people?limit=0", body=[], says={"Content-Range": "*/*"}),
    Vector(
        page=f"{PAGES}#limits", request="GET tv_people?offset=9", status=200, body=[], says={"Content-Range": "*/*"}
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id",
        headers={"Range-Unit": "items", "Range": "1-2"},
        body=[{"id": 2}, {"id": 3}],
        says={"Content-Range": "1-2/*"},
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id&order=id",
        headers={"Range-Unit": "items", "Range": "3-"},
        body=[{"id": 4}, {"id": 5}],
    ),
    Vector(
        page=f"{PAGES}#limits",
        request="GET tv_people?select=id",
        headers={"Range": "0-19"},
        says={"Content-Range": "0-4/*"},
    ),
]

COUNTS = [
    Vector(
        page=f"{PAGES}#exact-count",
        request="GET tv_people?select=id&order=id&limit=2",
        headers=EXACT,
        status=206,
        body=[{"id": 1}, {"id": 2}],
        says={"Content-Range": "0-1/5", "Preference-Applied": "count=exact"},
    ),
    Vector(page=f"{PAGES}#exact-count", request="GET tv_people", headers=EXACT, says={"Content-Range": "0-4/5"}),
    Vector(
        page=f"{PAGES}#exact-count",
        request="GET tv_people?age=eq.18&limit=1",
        headers=EXACT,
        status=206,
        says={"Content-Range": "0-0/2"},
    ),
    Vector(
        page=f"{PAGES}#exact-count",
        request="GET tv_people?age=eq.99",
        headers=EXACT,
        body=[],
        says={"Content-Range": "*/0"},
    ),
    Vector(
        page=f"{PAGES}#exact-count",
        request="HEAD tv_people",
        headers={**EXACT, "Range": "0-1"},
        body=None,
        says={"Content-Range": "0-4/5"},  # a range counts for GET only, as RFC 9110 has it
    ),
    Vector(
        page=f"{PAGES}#exact-count",
        request="HEAD tv_people?limit=2",
        headers=EXACT,
        status=206,
        body=None,
        says={"Content-Range": "0-1/5"},
    ),
    Vector(
        page=f"{PAGES}#estimated-count",
        request="GET tv_people?limit=2",
        headers={"Prefer": "count=estimated"},
        status=206,
        says={"Content-Range": "0-1/5", "Preference-Applied": "count=estimated"},
    ),
    Vector(
        page=f"{PAGES}#planned-count",
        request="GET tv_people?limit=1",
        headers={"Prefer": "count=planned"},
        status=206,
        says={"Preference-Applied": "count=planned"},
    ),
    Vector(page=f"{TABLES}#head-req", request="HEAD tv_people?id=eq.1", body=None, says={"Content-Range": "0-0/*"}),
]

CAPPED = [
    Vector(
        page=MAX_ROWS,
        request="POST rpc/tv_count_to",
        sends={"n": 1500},
        says={"Content-Range": "0-999/*"},
    ),
    Vector(
        page=MAX_ROWS,
        request="POST rpc/tv_count_to",
        sends={"n": 1500},
        headers=EXACT,
        status=206,
        says={"Content-Range": "0-999/1500"},
    ),
    Vector(
        page=MAX_ROWS,
        request="POST rpc/tv_count_to?limit=1200",
        sends={"n": 1500},
        says={"Content-Range": "0-999/*"},
    ),
    Vector(
        page=MAX_ROWS,
        request="POST rpc/tv_count_to?offset=900",
        sends={"n": 1500},
        says={"Content-Range": "900-1499/*"},
    ),
    Vector(
        page=MAX_ROWS, request="POST rpc/tv_document", sends={"n": 1500}, body=list(range(1, 1501))
    ),  # one value, however long
]

FORMS_OF_ANSWERS = [
    Vector(
        page=f"{FORMS}#res-format",
        request="GET tv_codes?id=eq.1",
        headers={"Accept": "application/json"},
        body=[{"id": 1, "code": "one", "n": 10}],
        says={"Content-Type": "application/json; charset=utf-8"},
    ),
    Vector(
        page=f"{FORMS}#singular-plural",
        request="GET tv_codes?id=eq.1",
        headers=ONE,
        body={"id": 1, "code": "one", "n": 10},
        says={"Content-Type": "application/vnd.pgrst.object+json; charset=utf-8"},
    ),
    Vector(
        page=f"{FORMS}#stripped-nulls",
        request="GET tv_people?select=id,data,active&id=eq.3",
        headers={"Accept": "application/vnd.pgrst.array+json;nulls=stripped"},
        body=[{"id": 3}],
    ),
    Vector(
        page="references/api/options.html",
        request="OPTIONS tv_people",
        says={"Access-Control-Allow-Origin": "*"},
    ),
]

REFUSED = [
    Vector(
        page=f"{ERRORS}#pgrst103",
        request="GET tv_people?offset=9",
        headers=EXACT,
        status=416,
        code="PGRST103",
    ),
    Vector(page=f"{ERRORS}#pgrst103", request="GET tv_people?limit=-1", status=416, code="PGRST103"),
    Vector(page=f"{ERRORS}#pgrst103", request="GET tv_people", headers={"Range": "5-2"}, status=416, code="PGRST103"),
    Vector(
        page=f"{FORMS}#singular-plural",
        request="GET tv_people?age=eq.99",
        headers=ONE,
        status=406,
        code="PGRST116",
    ),
    Vector(page=f"{FORMS}#singular-plural", request="GET tv_people", headers=ONE, status=406, code="PGRST116"),
    Vector(
        page=f"{ERRORS}#pgrst107",
        request="GET tv_people",
        headers={"Accept": "unknown/unknown"},
        status=406,
        code="PGRST107",
    ),
    Vector(
        page=f"{ERRORS}#pgrst106",
        request="GET tv_people",
        headers={"Accept-Profile": "pg_catalog"},
        status=406,
        code="PGRST106",
    ),
    Vector(
        page=f"{ERRORS}#pgrst106",
        request="POST tv_codes",
        sends={"id": 9},
        headers={"Content-Profile": "tv_nowhere"},
        status=406,
        code="PGRST106",
    ),
    Vector(
        page=f"{ERRORS}#proxy-status-header",
        request="HEAD tv_people?missing=eq.1",
        status=400,
        body=None,
        says={"Proxy-Status": "PostgREST; error=42703"},
    ),
    Vector(page=f"{ERRORS}#pgrst117", request="LINK tv_people", status=405, code="PGRST117"),
    Vector(page=f"{PAGES}#limits", request="GET tv_closed", who=Who.SERVICE, status=403, code="42501"),
]

VECTORS = [*LIMITS, *COUNTS, *CAPPED, *FORMS_OF_ANSWERS, *REFUSED]
