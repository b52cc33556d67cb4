"""Works that run in a process of their own: what is not ours, and what is measured as a whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Final

from contracts.vocabulary import Channel
from flows.bench.pair import Bench
from flows.bench.rounds import Sample, timed

LIMIT_S: Final = 600.0
VERDICTS: Final = ("passed", "warned", "failed")  # all others could not tell
_OURS: Final = ("DATABASE_URL", "SUPABASE_", "TWINSTORE_")  # beginnings of variables that twinstore reads


def installed(*packages: str) -> bool:
    """Tell whether all these packages can be imported."""
    return all(find_spec(package) for package in packages)


def run_reladiff(bench: Bench) -> Sample:
    """Compare both stores by reladiff."""
    return _ask("flows.bench.by_reladiff", bench)


def run_datacompy(bench: Bench) -> Sample:
    """Pull both stores into pandas and compare them by datacompy."""
    return _ask("flows.bench.by_datacompy", bench)


def weigh_check(bench: Bench) -> Sample:
    """Measure the memory of a full check."""
    return _ask("flows.bench.by_check", bench)


def run_check(bench: Bench) -> Sample:
    """Run `twinstore check` by SQL as a user does, from the start of the process to its end."""
    return _command("check", bench, TWINSTORE_CHANNEL=Channel.SQL)


def run_gate(bench: Bench) -> Sample:
    """Run `twinstore gate` as a user does whose secondary is reached over REST."""
    return _command("gate", bench)


def _command(name: str, bench: Bench, **also: str) -> Sample:
    """Run a command that prints its verdict as JSON, knowing of this pair and nothing else."""
    others = {variable: value for variable, value in os.environ.items() if not variable.startswith(_OURS)}
    home = {"TWINSTORE_HOME": str(bench.settings.home), "TWINSTORE_ENVIRONMENT": str(bench.settings.environment)}
    command = [sys.executable, "-c", "from flows.cli import main; main()", name, "--json"]
    try:
        seconds, done = timed(
            lambda: subprocess.run(
                command,
                env={**others, **home, **also},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LIMIT_S,
                check=False,
            )
        )
        verdict = json.loads(done.stdout)["verdict"]
    except subprocess.TimeoutExpired:
        return Sample(gave_up_s=LIMIT_S, trouble=f"not done after {LIMIT_S:g} s")
    except (ValueError, KeyError, TypeError):
        return Sample(trouble=f"ended with exit code {done.returncode}")
    return Sample(seconds=seconds) if verdict in VERDICTS else Sample(trouble=f"the verdict was {verdict}")


def _ask(module: str, bench: Bench) -> Sample:
    """Run a module that reads where the stores are from its input, and prints what it measured as its last line."""
    primary, secondary = bench.dsns
    question = json.dumps({"primary": primary, "secondary": secondary, "home": str(bench.settings.home)})
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=question,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
        facts = {name: float(value) for name, value in json.loads(done.stdout.strip().rsplit("\n", 1)[-1]).items()}
        return Sample(seconds=facts.pop("seconds"), facts=facts)
    except subprocess.TimeoutExpired:
        return Sample(gave_up_s=LIMIT_S, trouble=f"not done after {LIMIT_S:g} s")
    except (ValueError, KeyError, AttributeError):
        return Sample(trouble=f"ended with exit code {done.returncode}")
