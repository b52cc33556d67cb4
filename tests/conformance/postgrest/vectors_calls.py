"""Vectors about functions: how they are called, what comes back, in which transaction they run."""

from __future__ import annotations

from tests.conformance.postgrest.vector import Vector, Who

CALLS = "references/api/functions.html"
PREFER = "references/api/preferences.html"
ERRORS = "references/errors.html"
RUNS = "references/transactions.html"
STRICT = {"Prefer": "handling=strict, max-affected=2"}

ANSWERED = [
    Vector(page=f"{CALLS}#functions", request="POST rpc/tv_add", sends={"a": 1, "b": 2}, body=3),
    Vector(page=f"{CALLS}#functions", request="GET rpc/tv_add?a=1&b=2", body=3),
    Vector(page=f"{CALLS}#functions", request="POST rpc/tv_add", sends={"a": 1}, body=11),
    Vector(page=f"{CALLS}#functions", request="GET rpc/tv_greet", body="Hello guest"),
    Vector(page=f"{CALLS}#functions", request="POST rpc/tv_greet", sends=b"", body="Hello guest"),
    Vector(page=f"{CALLS}#functions", request="GET rpc/tv_greet?who=Ann", body="Hello Ann"),
    Vector(page=f"{CALLS}#functions", request="HEAD rpc/tv_greet", body=None),
    Vector(page=f"{CALLS}#functions-array", request="POST rpc/tv_grown", sends={"arr": [1, 2]}, body=[2, 3]),
    Vector(page=f"{CALLS}#functions-array", request="GET rpc/tv_grown?arr=%7B1,2%7D", body=[2, 3]),
    Vector(page=f"{CALLS}#functions-variadic", request="POST rpc/tv_total", sends={"v": [1, 2, 3]}, body=6),
    Vector(page=f"{CALLS}#functions-variadic", request="GET rpc/tv_total?v=1&v=2&v=3", body=6),
    Vector(page=f"{CALLS}#function-single-json", request="POST rpc/tv_times", sends={"x": 4, "y": 2}, body=8),
    Vector(page=f"{CALLS}#scalar-functions", request="POST rpc/tv_document", sends={"n": 3}, body=[1, 2, 3]),
    Vector(page=f"{CALLS}#scalar-functions", request="POST rpc/tv_count_to", sends={"n": 3}, body=[1, 2, 3]),
    Vector(page=f"{CALLS}#scalar-functions", request="POST rpc/tv_count_to", sends={"n": 0}, body=[]),
    Vector(page=f"{CALLS}#scalar-functions", request="GET rpc/tv_null", body=None),
    Vector(
        page=f"{CALLS}#scalar-functions",
        request="POST rpc/tv_nothing",
        status=204,
        body=None,
        says={"Content-Type": None},
    ),
    Vector(
        page=f"{CALLS}#scalar-functions",
        request="POST rpc/tv_table",
        sends={"n": 2},
        body=[{"i": 1, "square": 1}, {"i": 2, "square": 4}],
    ),
    Vector(
        page=f"{CALLS}#table-functions",
        request="GET rpc/tv_aged?lowest=36&select=id,name&order=id.desc",
        body=[{"id": 4, "name": "Dora 50%"}, {"id": 1, "name": "Ada"}],
    ),
    Vector(
        page=f"{CALLS}#table-functions",
        request="POST rpc/tv_aged?select=id&age=lt.65&order=id&limit=2",
        sends={"lowest": 18},
        body=[{"id": 1}, {"id": 3}],
        says={"Content-Range": "0-1/*"},
    ),
    Vector(
        page="references/api/pagination_count.html#prefer-count",
        request="POST rpc/tv_aged?select=id&order=id&limit=1",
        sends={"lowest": 18},
        headers={"Prefer": "count=exact"},
        status=206,
        body=[{"id": 1}],
        says={"Content-Range": "0-0/4"},
    ),
    Vector(
        page=f"{CALLS}#table-functions",
        request="POST rpc/tv_oldest?select=id,age",
        body={"id": 4, "age": 65},
    ),
    Vector(
        page="references/api/resource_representation.html#singular-plural",
        request="GET rpc/tv_aged?lowest=65&select=id",
        headers={"Accept": "application/vnd.pgrst.object+json"},
        body={"id": 4},
    ),
    Vector(page=f"{CALLS}#overloaded-functions", request="POST rpc/tv_overloaded", sends={"a": 1}, body="one"),
    Vector(page=f"{CALLS}#overloaded-functions", request="GET rpc/tv_overloaded?a=1&b=2", body="two"),
    Vector(
        page=f"{RUNS}#access-mode",
        request="POST rpc/tv_grow_up",
        body=[1, 2, 3, 4, 5],
        then=("tv_people?select=age&id=eq.1", [{"age": 37}]),
    ),
    Vector(
        page=f"{RUNS}#guc-req-headers-cookies-claims",
        request="POST rpc/tv_setting",
        sends={"name": "request.method"},
        body="POST",
    ),
    Vector(page=f"{RUNS}#hoisted-function-settings", request="POST rpc/tv_sleep", sends={"seconds": 0.01}, status=204),
    Vector(
        page=f"{PREFER}#prefer-timezone",
        request="POST rpc/tv_setting",
        sends={"name": "TimeZone"},
        headers={"Prefer": "timezone=America/Los_Angeles"},
        body="America/Los_Angeles",
        says={"Preference-Applied": "timezone=America/Los_Angeles"},
    ),
    Vector(page="references/api/options.html", request="OPTIONS rpc/tv_add", says={"Access-Control-Allow-Origin": "*"}),
]


def _refused(request: str, code: str, status: int, **further: object) -> Vector:
    page = f"{ERRORS}#{code.lower()}" if code.startswith("PGRST") else f"{ERRORS}#status-codes"
    return Vector(page=page, request=request, code=code, status=status, **further)  # type: ignore[arg-type]  # attributes of Vector


REFUSED = [
    _refused("POST rpc/tv_missing", "PGRST202", 404),
    _refused("POST rpc/tv_add", "PGRST202", 404, sends={"b": 1}),
    _refused("POST rpc/tv_add", "PGRST202", 404, sends={"a": 1, "c": 1}),
    _refused("GET rpc/tv_add?a=1&c=1", "PGRST202", 404),
    _refused("POST rpc/tv_ambiguous", "PGRST203", 300, sends={"a": 1}),
    _refused("POST rpc/tv_add", "PGRST102", 400, sends=b"{"),
    _refused("POST rpc/tv_add", "22P02", 400, sends={"a": "one"}),
    _refused("GET rpc/tv_add?a=one", "22P02", 400),
    _refused("POST rpc/tv_add", "22003", 400, sends={"a": 2147483647, "b": 1}),
    _refused("PATCH rpc/tv_add", "PGRST101", 405, sends={"a": 1}),
    _refused("DELETE rpc/tv_add", "PGRST101", 405),
    _refused("GET rpc/tv_grow_up", "25006", 405, then=("tv_people?select=age&id=eq.1", [{"age": 36}])),
    _refused("POST rpc/tv_sneaky", "25006", 405),
    _refused("POST rpc/tv_sleep", "57014", 500, sends={"seconds": 5}),
    _refused("POST rpc/tv_hidden", "42501", 401, who=Who.ANON),
    _refused("POST rpc/tv_aged?select=missing", "42703", 400, sends={"lowest": 1}),
    _refused("POST rpc/tv_count_to?offset=9", "PGRST103", 416, sends={"n": 2}, headers={"Prefer": "count=exact"}),
    Vector(page=f"{ERRORS}#raise-error", request="POST rpc/tv_fail", status=400, code="P0001"),
    Vector(
        page=f"{ERRORS}#raise-error",
        request="POST rpc/tv_pay",
        status=402,
        body={
            "message": "Payment Required",
            "details": "Quota exceeded",
            "hint": "Upgrade your plan",
            "code": "PT402",
        },
    ),
    Vector(
        page=f"{ERRORS}#raise-headers",
        request="POST rpc/tv_raise_whole",
        status=402,
        code="123",
        says={"X-Powered-By": "Nerd Rage"},
    ),
    Vector(page=f"{ERRORS}#pgrst121", request="POST rpc/tv_raise_half", status=500, code="PGRST121"),
    Vector(
        page=f"{PREFER}#prefer-max-affected",
        request="POST rpc/tv_grow_up",
        headers=STRICT,
        status=400,
        code="PGRST124",
        then=("tv_people?select=age&id=eq.1", [{"age": 36}]),
    ),
    Vector(
        page=f"{ERRORS}#pgrst128",
        request="POST rpc/tv_add",
        sends={"a": 1},
        headers=STRICT,
        status=400,
        code="PGRST128",
    ),
    Vector(
        page=f"{PREFER}#prefer-timezone",
        request="GET tv_people",
        headers={"Prefer": "timezone=Jupiter/Red_Spot"},
        status=400,
        code="22023",
    ),
]

VECTORS = [*ANSWERED, *REFUSED]
