"""docs/adding-a-dataset.md, run as it stands: its tables, its commands, its rule."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from random import Random

import pandas as pd
import psycopg
import pyarrow as pa
import pytest

from tests.support.command import REPOSITORY, flat, twinstore
from tests.support.servers import Pair

PAGE = (REPOSITORY / "docs" / "adding-a-dataset.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = 150
FILL = {
    "primary": "INSERT INTO \"Order\" VALUES (%s, %s, %s, %s, %s, %s, now() - %s * interval '1 minute')",
    "secondary": "INSERT INTO public.orders VALUES (%s, %s, %s, %s, %s, %s, %s)",
}


def block(language: str, label: str = "") -> str:
    """Return the block of the page in this language with this label."""
    (text,) = [str(text) for found, name, text in BLOCKS if (found, name) == (language, label)]
    return text


@pytest.fixture
def tables(pair: Pair) -> Pair:
    """Both tables of the page, filled with the same orders."""
    dice = Random(5)
    shop = "5b1c4c3e-0a57-4f6e-9d5e-1f1b0a7c2d33"
    rows = [
        (
            shop,
            n,
            dice.choice([None, "Ann", "Bo"]),
            dice.randrange(10_000) / 100,
            dice.choice(["new", "paid"]),
            ["a|b"],
            n,
        )
        for n in range(ROWS)
    ]
    with psycopg.connect(pair.primary) as ours, psycopg.connect(pair.secondary) as theirs:
        ours.execute("SET TimeZone = 'UTC'")
        ours.execute(block("sql", "primary").encode())
        theirs.execute(block("sql", "secondary").encode())
        ours.cursor().executemany(FILL["primary"].encode(), rows)
        made = ours.execute("""SELECT "createdAt" AT TIME ZONE 'UTC' FROM "Order" ORDER BY "orderNo" """).fetchall()
        both = [(*row[:-1], moment) for row, (moment,) in zip(rows, made, strict=True)]
        theirs.cursor().executemany(FILL["secondary"].encode(), both)
    return pair


def said(home: Path) -> list[list[str]]:
    """Return the commands of the page, with the folder of the page in a folder of the test."""
    shown = "\n".join(text for language, _, text in BLOCKS if language == "sh")
    lines = [shlex.split(line) for line in shown.splitlines() if line]
    assert [line for line in lines if line[0] == "export"] == [["export", "TWINSTORE_DATASETS=datasets"]]
    folder = str(home.parent / "datasets")
    return [[folder if word == "datasets" else word for word in line[1:]] for line in lines if line[0] == "twinstore"]


def test_the_page_is_true(tables: Pair, home: Path) -> None:
    """The two commands write both files and check them; equal tables pass, and one changed cent is found."""
    new, check = said(home)
    settings = {"TWINSTORE_DATASETS": str(home.parent / "datasets")}
    made = twinstore(tables, home, *new)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.count("written:") == 2
    again = twinstore(tables, home, *new)
    assert (again.returncode, "is there already" in flat(again.stderr)) == (2, True)
    checked = twinstore(tables, home, *check, "--json", settings=settings)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (dataset,) = json.loads(checked.stdout)["datasets"]
    assert (dataset["name"], dataset["verdict"], dataset["rows"]["matched"]) == ("orders", "passed", ROWS)
    assert {c["id"] for c in dataset["checks"]} >= {
        "orders.required_present",
        "orders.state_known",
        "orders.key_unique",
    }
    with psycopg.connect(tables.secondary) as connection:
        connection.execute("UPDATE public.orders SET total = total + 0.01 WHERE order_no = 7")
    found = twinstore(tables, home, *check, "--json", settings=settings)
    (dataset,) = json.loads(found.stdout)["datasets"]
    (difference,) = dataset["differences"]
    assert (found.returncode, difference["key"].partition("|")[2]) == (1, "7")
    assert [field["field"] for field in difference["fields"]] == ["total"]


def test_the_rule_of_the_page_judges(tmp_path: Path) -> None:
    """The rule of one's own that the page shows can be used in a contract, and finds blank customers."""
    names: dict[str, object] = {}
    exec(compile(block("python"), str(tmp_path / "page.py"), "exec"), names)  # noqa: S102 - the page's own code
    customers = pd.Series(["Ann", " ", None], dtype=pd.ArrowDtype(pa.string()))
    held = names["spelt"].holds(pd.DataFrame({"customer": customers}))  # type: ignore[attr-defined]  # a ColumnRule
    assert list(held) == [True, False, True]
