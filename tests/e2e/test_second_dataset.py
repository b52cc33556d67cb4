"""A second dataset end to end, by adding one contract file and one suite file to a folder, over every channel."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.keys import ESCAPE, SEPARATOR
from contracts.vocabulary import Channel, CheckStatus, StoreName
from tests.support.command import twinstore
from tests.support.gateway import serve
from tests.support.second_dataset import NAME, ROWS, add_files, fill, make_tables
from tests.support.servers import Pair

pytestmark = pytest.mark.slow


class Shop:
    """Two stores with the tables of readings, a folder with the two files, and the command line on both."""

    def __init__(self, pair: Pair, home: Path, folder: Path, settings: dict[str, str]) -> None:
        self.pair = pair
        self.home = home
        self._settings = {**settings, "TWINSTORE_DATASETS": str(folder)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return twinstore(self.pair, self.home, *arguments, settings=self._settings)

    def check(self) -> tuple[int, dict[str, Any]]:
        """Check readings; return the exit code and what report.json says of the dataset."""
        done = self.run("check", "--dataset", NAME, "--json")
        assert done.stdout, done.stderr
        (dataset,) = json.loads(done.stdout)["datasets"]
        return done.returncode, dataset


@pytest.fixture(params=[c if c is Channel.RPC else pytest.param(c, marks=pytest.mark.soak) for c in Channel])
def shop(request: pytest.FixtureRequest, pair: Pair, home: Path, tmp_path: Path) -> Iterator[Shop]:
    """The stores over each channel; functions for REST are installed as a user installs them."""
    add_files(tmp_path)
    make_tables(pair)
    fill(pair, newest=datetime.now(UTC))
    with ExitStack() as stack:
        settings = {"TWINSTORE_CHANNEL": request.param.value}
        if request.param is not Channel.SQL:
            rest = stack.enter_context(serve(pair.secondary_gate))
            settings |= {"SUPABASE_URL": rest.url, "SUPABASE_SERVICE_ROLE_KEY": rest.service_key}
        shop = Shop(pair, home, tmp_path, settings)
        if request.param is Channel.RPC:
            migrated = shop.run("migrate", "--side", "secondary")
            assert "doors_readings" in migrated.stdout, migrated.stderr
        yield shop


def failing(dataset: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the keys that break each rule, by rule and store."""
    failed = [check for check in dataset["checks"] if check["status"] == CheckStatus.FAILED]
    return {(check["id"], check["store"]): check["sample_keys"] for check in failed}


@pytest.mark.soak
def test_a_second_dataset_is_checked_like_the_first(shop: Shop) -> None:
    """Equal tables pass; a changed digit, a lost row and a broken rule are told by their keys."""
    code, dataset = shop.check()
    assert (code, dataset["verdict"], dataset["rows"]["matched"]) == (0, "passed", ROWS), dataset["reasons"]
    assert {check["id"] for check in dataset["checks"]} >= {"readings.quality_known", "readings.key_unique"}
    with psycopg.connect(shop.pair.secondary) as connection:
        found = connection.execute(
            "SELECT seq FROM public.readings WHERE label = 'a|b' ORDER BY seq LIMIT 3"
        ).fetchall()
        changed, gone, long = (seq for (seq,) in found)
        connection.execute("UPDATE public.readings SET counter = counter - 1 WHERE seq = %s", (changed,))
        connection.execute("DELETE FROM public.readings WHERE seq = %s", (gone,))
        connection.execute("UPDATE public.readings SET label = repeat('x', 41) WHERE seq = %s", (long,))
    code, dataset = shop.check()
    kinds = {
        (d["key"].split(SEPARATOR)[1], d["kind"], *(f["field"] for f in d["fields"])) for d in dataset["differences"]
    }
    assert (code, kinds) == (
        1,
        {
            (str(changed), "differing", "counter"),
            (str(gone), "only_primary"),
            (str(long), "only_primary"),
            (str(long), "only_secondary"),
        },
    )
    assert all(ESCAPE + SEPARATOR in d["key"] for d in dataset["differences"] if d["kind"] != "only_secondary")
    ((rule, store), keys), *others = failing(dataset).items()
    assert (rule, store, others) == ("readings.label_length", StoreName.SUPABASE, [])
    assert [key.split(SEPARATOR)[1:] for key in keys] == [[str(long), "x" * 41]]


@pytest.mark.parametrize("shop", [Channel.SQL], indirect=True)
def test_commands_know_the_dataset_of_the_folder(shop: Shop) -> None:
    """Without the folder there is no such dataset; the doctor looks at its tables, too."""
    alone = twinstore(shop.pair, shop.home, "check", "--dataset", NAME)
    assert (alone.returncode, "There is no dataset 'readings'" in alone.stderr) == (2, True)
    doctor = shop.run("doctor")
    assert "public.readings can be read" in doctor.stdout
