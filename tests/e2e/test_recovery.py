"""The procedures of docs/recovery.md, run as they stand there: one store is lost, both are, they disagree."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

import psycopg
import pytest
from typer.testing import CliRunner

from contracts.vocabulary import StoreName
from flows.cli import app
from storage.local import stores
from tests.support import backups
from tests.support.command import REPOSITORY, SCRIPT, environment
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import TABLE, keys, run, settings_of, titled, titles

PRISMA, SUPABASE = StoreName
NEW = "00000000-0000-4000-8000-0000000000ff"
PAGE = (REPOSITORY / "docs" / "recovery.md").read_text(encoding="utf-8")
PROCEDURES = dict(re.findall(r"^```sh (\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def follow(name: str, pair: Pair, home: Path, **variables: str) -> str:
    """Run the commands of a procedure, each of which must succeed; return what they said."""
    settings = {"PATH": f"{SCRIPT.parent}:/usr/bin:/bin", "TWINSTORE_ENVIRONMENT": backups.ENVIRONMENT, **variables}
    done = subprocess.run(
        ["/bin/sh", "-ex", "-c", PROCEDURES[name]],
        env=environment(pair, home, settings),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def follow_here(name: str, pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Run the commands of a procedure in this process, which saves each of them its imports."""
    for variable, value in {**settings_of(pair, home), **variables}.items():
        monkeypatch.setenv(variable, value)
    for line in PROCEDURES[name].splitlines():
        may_fail = line.endswith("|| true")
        words = shlex.split(Template(line.removesuffix("|| true")).substitute(variables))
        done = CliRunner().invoke(app, words[1:])
        assert may_fail or done.exit_code == 0, f"{line}: {done.output}{done.exception}"


def backed_up(pair: Pair, home: Path) -> str:
    """Make a verified backup of a pair; return its id."""
    root = home / "backups"
    made = backups.make(root, pair)
    backups.proven(root, made.id)
    return made.id


@contextmanager
def new_secondary(servers: Servers, pair: Pair, template: str) -> Iterator[Pair]:
    """Provide the same primary beside a new database for the secondary."""
    with servers.clones(template) as other:
        yield Pair(
            **{
                name: getattr(other if name.startswith("secondary") else pair, name)
                for name in Pair.__dataclass_fields__
            }
        )


def test_every_procedure_is_tested() -> None:
    """The page has no other ones."""
    assert set(PROCEDURES) == {"secondary", "primary", "both", "disagree"}


@pytest.mark.soak
def test_both_stores_are_lost(seeded_pair: Pair, empty_pair: Pair, home: Path) -> None:
    """Two new databases hold what the backup held, agree, and replicate."""
    backup = backed_up(seeded_pair, home)
    stores.create_prisma_table(empty_pair.primary)
    said = follow("both", empty_pair, home, BACKUP=backup)
    assert "planning is adopted" in said
    assert titles(empty_pair, PRISMA) == titles(empty_pair, SUPABASE) == titles(seeded_pair, PRISMA)


@pytest.mark.soak
def test_the_secondary_is_lost(
    servers: Servers,
    seeded_pair: Pair,
    _empty_template: str,  # noqa: PT019 - its name is what is needed
    home: Path,
) -> None:
    """A new one is filled from the primary, and replicates."""
    with new_secondary(servers, seeded_pair, _empty_template) as pair:
        follow("secondary", pair, home, ROWS=str(SEEDED))
        assert titles(pair, SUPABASE) == titles(pair, PRISMA)
        assert len(titles(pair, SUPABASE)) == SEEDED


@pytest.mark.soak
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("replicated", [True, False])
def test_the_primary_is_lost(
    servers: Servers,
    seeded_pair: Pair,
    _empty_template: str,  # noqa: PT019 - likewise
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kept: bool,
    replicated: bool,
) -> None:
    """A new one has the rows of the backup, if there is one, and what the secondary has that is newer."""
    if replicated:
        adopt_here(seeded_pair, home, monkeypatch)
    backup = backed_up(seeded_pair, home)
    one, other = keys(seeded_pair, 2, SUPABASE)
    titled(seeded_pair, SUPABASE, one, "newer")
    run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", other)
    alike = f"SELECT '{NEW}', type, 'new', jsonb_set(content, '{{id}}', '\"{NEW}\"') FROM {TABLE} WHERE id::text = %s"
    run(seeded_pair, SUPABASE, f"INSERT INTO {TABLE} (id, type, title, content) {alike}", one)
    ours = titles(seeded_pair, SUPABASE)
    assert (ours[one], other in ours, ours[NEW]) == ("newer", False, "new")
    with servers.clones(_empty_template) as new:
        stores.create_prisma_table(new.primary)
        pair = Pair(
            **{
                name: getattr(new if name.startswith("primary") else seeded_pair, name)
                for name in Pair.__dataclass_fields__
            }
        )
        if kept:
            follow("primary", pair, home, BACKUP=backup, ROWS=str(SEEDED))
        else:
            monkeypatch.setitem(PROCEDURES, "primary", without_a_backup())
            follow("primary", pair, home, ROWS=str(SEEDED))
        assert titles(pair, PRISMA) == titles(pair, SUPABASE) == ours


def without_a_backup() -> str:
    """Return the procedure for a lost primary without the lines that the page tells to leave out."""
    return "".join(line for line in PROCEDURES["primary"].splitlines(keepends=True) if "restore" not in line)


def adopt_here(pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stores replicate, as in production."""
    monkeypatch.setitem(PROCEDURES, "adopt", "twinstore adopt --yes\n")
    follow_here("adopt", pair, home, monkeypatch)


def test_the_stores_disagree(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs becomes conflicts, is decided for the primary, and carried over; also what waits on either side."""
    adopt_here(seeded_pair, home, monkeypatch)
    one, other, third = keys(seeded_pair, 3)
    titled(seeded_pair, SUPABASE, one, "theirs")
    run(seeded_pair, SUPABASE, f"DELETE FROM {TABLE} WHERE id::text = %s", other)
    run(seeded_pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", third)
    ours = titles(seeded_pair, PRISMA)
    follow_here("disagree", seeded_pair, home, monkeypatch, ROWS="3")
    assert titles(seeded_pair, SUPABASE) == titles(seeded_pair, PRISMA) == ours
    with psycopg.connect(seeded_pair.primary) as connection:
        assert connection.execute("SELECT count(*) FROM twinstore.conflict WHERE resolved_at IS NULL").fetchone() == (
            0,
        )
