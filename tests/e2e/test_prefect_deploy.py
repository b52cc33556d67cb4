"""The deployment as users make it: a real Prefect server, `prefect deploy --all`, a worker, a run, its artifacts.

Everything lies in temporary folders and listens on loopback; every process ends with the test, however it ends.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from contracts.errors import Conflict
from flows.settings import load_settings
from flows.wiring import open_memory
from storage.local.faults import fault, inject
from storage.state import State
from tests.support.prefect_api import until
from tests.support.servers import Pair

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]

REPOSITORY = Path(__file__).parents[2]
PREFECT, TWINSTORE = (str(Path(sys.executable).with_name(name)) for name in ("prefect", "twinstore"))
SERVER = [sys.executable, "-m", "flows.prefect_server", "server", "start", "--host", "127.0.0.1", "--no-ui"]
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
START_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A Prefect server, and the environment in which commands reach it and the stores.

    Attributes:
        api: URL of its API.
        env: The environment.
        folder: For logs.
    """

    api: str
    env: dict[str, str]
    folder: Path

    def prefect(self, *arguments: str) -> str:
        """Run a command of Prefect without a terminal; return what it said."""
        command = [PREFECT, "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.env, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path: str, body: object = None) -> Any:
        """Ask the API, again where it says that its database is busy."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.api + path, data, {"Content-Type": "application/json"}
        )
        (answer,) = until(lambda: self._answer(request), f"an answer to {path}")
        return answer

    @staticmethod
    def _answer(request: urllib.request.Request) -> tuple[Any] | None:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
                return (json.load(answer),)
        except urllib.error.HTTPError as exc:
            if exc.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return None

    def run_by_command(self) -> dict[str, Any]:
        """Trigger the deployment as a user does in a terminal; return the flow run as the API has it at its end."""
        said = self.prefect("deployment", "run", "nightly-check/nightly-check")
        found = re.search(r"UUID: (\S+)", said)
        assert found, said
        return self._at_its_end(found[1])

    def run_by_click(self, deployment_id: str) -> dict[str, Any]:
        """Trigger the deployment as a user does in the browser; return the same."""
        started = self.ask(f"/deployments/{deployment_id}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        return self._at_its_end(started["id"])

    def artifacts(self, run_id: str) -> dict[str, Any]:
        """Return the artifacts of a flow run by key."""
        rows = self.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run_id]}}})
        return {row["key"]: row for row in rows}

    def _at_its_end(self, run_id: str) -> dict[str, Any]:
        return until(lambda: self._ended(run_id), f"the end of {run_id}", timeout_s=START_S)

    def _ended(self, run_id: str) -> dict[str, Any] | None:
        run: dict[str, Any] = self.ask(f"/flow_runs/{run_id}")
        return run if run["state_type"] in ENDED else None


@contextmanager
def running(command: Sequence[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with its children in a group of their own, and end them all."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, env=env, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, wait_s in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait(20)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _healthy(api: str) -> bool | None:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200) or None
    except (urllib.error.URLError, OSError):
        return None


@pytest.fixture
def site(seeded_pair: Pair, tmp_path: Path) -> Iterator[Site]:
    """A Prefect server, to which the environment points, beside equal stores."""
    port = _free_port()
    api = f"http://127.0.0.1:{port}/api"
    env = _environment(seeded_pair, tmp_path / "home") | {"TWINSTORE_ENVIRONMENT": "deployed"}
    env["PREFECT_HOME"] = str(tmp_path / "prefect")
    env["PREFECT_WORKER_QUERY_SECONDS"] = "1"  # by default a worker looks for new runs every ten seconds
    with running([*SERVER, "--port", str(port)], env, tmp_path / "server.log"):
        until(lambda: _healthy(api), "the server", timeout_s=START_S)
        yield Site(api=api, env={**env, "PREFECT_API_URL": api}, folder=tmp_path)


def test_the_deployed_nightly_check_runs_on_a_server(site: Site, seeded_pair: Pair) -> None:
    """One command deploys it with its schedule; a worker runs it, sound and broken stores, and leaves the artifacts."""
    site.prefect("work-pool", "create", "twinstore", "--type", "process")
    site.prefect("deploy", "--all")
    deployment = site.ask("/deployments/name/nightly-check/nightly-check")
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert [s["schedule"]["timezone"] for s in deployment["schedules"]] == ["UTC"]
    worker = [PREFECT, "worker", "start", "--pool", "twinstore", "--name", "test", "--limit", "1"]
    with running(worker, site.env, site.folder / "worker.log"):
        sound = site.run_by_command()
        assert (sound["state_type"], sound["state_name"]) == ("COMPLETED", "Completed"), sound["state"]["message"]
        assert sound["state"]["message"].startswith("warned: ")
        artifacts = site.artifacts(sound["id"])
        kinds = ("checks", "clusters", "report", "summary")
        assert sorted(artifacts) == [f"twinstore-deployed-{kind}" for kind in kinds]
        assert "twinstore: warned" in artifacts["twinstore-deployed-summary"]["data"]
        inject(seeded_pair.primary, seeded_pair.secondary, [fault("title_stale_prisma")])
        broken = site.run_by_click(deployment["id"])
        assert broken["state_name"] == "Failed"
        assert broken["state"]["message"].startswith("failed: ")
        clusters = json.loads(site.artifacts(broken["id"])["twinstore-deployed-clusters"]["data"])
        assert clusters[0]["cause"] == "column_stale"
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    runs = until(lambda: site.ask("/flow_runs/filter", scheduled) or None, "a scheduled run")
    assert all(run["auto_scheduled"] for run in runs)


@pytest.mark.soak
def test_check_as_a_flow_says_what_a_plain_check_says(seeded_pair: Pair, tmp_path: Path) -> None:
    """`check --flow` has the output and exit code of `check`, writes below TWINSTORE_HOME and leaves no server."""
    inject(seeded_pair.primary, seeded_pair.secondary, [fault("title_stale_prisma")])
    home = tmp_path / "flow"
    plain, flow = _check(seeded_pair, tmp_path / "plain"), _check(seeded_pair, home, "--flow")
    assert [d["clusters"][0]["cause"] for d in plain["datasets"]] == ["column_stale"]
    for document in (plain, flow):
        for dataset in document["datasets"]:
            assert dataset["checks"]
            dataset["checks"] = {(c["id"], c["store"], c["status"]) for c in dataset["checks"]}
    said = ("verdict", "reason", "reasons", "environment")
    assert [flow[name] for name in said] == [plain[name] for name in said]
    kept = ("rows", "checks", "differences_total")
    assert [[d[k] for k in kept] for d in flow["datasets"]] == [[d[k] for k in kept] for d in plain["datasets"]]
    assert (home / "prefect" / "prefect.db").is_file()
    assert _processes_of(home) == []


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_flow_that_is_interrupted_gives_its_lease_back(
    seeded_pair: Pair, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal while a stage waits for a store frees the lease at once; with the stage, process and server end."""
    home = tmp_path / "home"
    env = _environment(seeded_pair, home)
    command = [TWINSTORE, "check", "--flow"]
    settings = load_settings().model_copy(update={"home": home})
    with ExitStack() as stack:
        blocker = stack.enter_context(psycopg.connect(seeded_pair.primary_superuser))
        blocker.execute("LOCK TABLE public.planning IN ACCESS EXCLUSIVE MODE")
        process = stack.enter_context(running(command, env, tmp_path / "check.log"))
        until(lambda: _waiting(seeded_pair) or None, "a stage that waits", timeout_s=START_S)
        os.killpg(process.pid, number)  # as a terminal does it: to the temporary server, too
        memory = stack.enter_context(open_memory(settings, "default"))
        until(lambda: _is_free(memory) or None, "the lease")
        blocker.rollback()
        assert process.wait(120) == 128 + number, (tmp_path / "check.log").read_text()
    assert _state_names(home / "prefect" / "prefect.db") == ["Crashed"]
    assert _processes_of(home) == []


def _waiting(pair: Pair) -> bool:
    with psycopg.connect(pair.primary_superuser) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return connection.execute(query).fetchone() != (0,)


def _state_names(database: Path) -> list[str]:
    """Return the names of the states of all flow runs."""
    with closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute("SELECT state_name FROM flow_run")]


def _is_free(memory: State) -> bool:
    """Say whether the lease can be had."""
    try:
        with memory.lease("planning", "check", owner="a test", now=lambda: datetime.now(UTC)):
            return True
    except Conflict:
        return False


def _processes_of(home: Path) -> list[int]:
    """Return the processes whose Prefect lies below this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TWINSTORE_HOME") == str(home):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _environment(pair: Pair, home: Path) -> dict[str, str]:
    """Return the environment of a user who leaves Prefect's settings alone, with these stores."""
    chosen = {
        "DATABASE_URL": pair.primary,
        "SUPABASE_DB_URL": pair.secondary,
        "TWINSTORE_HOME": str(home),
        "TWINSTORE_GRACE_S": "0",
        "TWINSTORE_RECHECK_ROUNDS": "1",
    }
    return {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | chosen


def _check(pair: Pair, home: Path, *options: str) -> Any:
    """Run a check that fails; return what it printed."""
    command = [TWINSTORE, "check", "--json", *options]
    done = subprocess.run(command, env=_environment(pair, home), cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr.decode()
    assert b"Error" not in done.stderr, done.stderr.decode()
    return json.loads(done.stdout)
