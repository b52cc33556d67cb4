"""A drill finds whatever is wrong with a backup, says what it is, and refuses none that is good."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from random import Random

import psycopg
import pytest

from contracts.backups import Damage
from contracts.errors import ConfigurationError, Unavailable
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.backup.folder import kept, list_backups
from storage.backup.manifest import MANIFEST, VERIFIED, write_manifest
from storage.backup.scratch import scratch_server
from storage.backup.verify import Servers as ScratchServers
from storage.backup.verify import drilled
from storage.local.server import Server
from tests.integration.storage.backup.conftest import Made
from tests.support import backups
from tests.support.second_dataset import fill, make_tables, second_dataset
from tests.support.servers import SEEDED, Pair, Servers

PRISMA, SUPABASE = StoreName
FILES = (backups.DUMP[PRISMA], MANIFEST)


def damages(made: Made) -> set[Damage]:
    """Return what a drill finds."""
    return {flaw.damage for flaw in made.verify().flaws}


def test_a_good_backup_is_verified(still_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """Both sides are restored and are as they were; the finding stays beside the backup, for this manifest only."""
    made = Made(tmp_path, backups.make(tmp_path, still_pair), drills)
    assert kept(made.root, made.manifest.id).verified_at is None
    found = made.verify()
    assert found.flaws == ()
    assert found.servers == ("16", "18")
    assert [side.rows for side in made.manifest.sides] == [SEEDED, SEEDED]
    assert kept(made.root, made.manifest.id).verified_at == found.at
    backups.sealed_anew(made.folder, lambda side: replace(side, identity=None))
    assert kept(made.root, made.manifest.id).verified_at is None


@pytest.mark.parametrize("seed", range(20))
def test_a_truncated_file_is_found(made: Made, seed: int) -> None:
    """Wherever it is cut off; of a dump it is said that it is shorter."""
    name = FILES[seed % 5 == 0]
    backups.cut(made.folder / name, Random(seed))
    assert damages(made) == {Damage.MANIFEST if name == MANIFEST else Damage.SIZE}


@pytest.mark.parametrize("seed", range(50))
def test_a_flipped_bit_is_found(made: Made, seed: int) -> None:
    """Wherever it is; of a dump it is said that its bytes are others."""
    name = FILES[seed % 5 == 0]
    backups.flip(made.folder / name, Random(seed))
    assert damages(made) == {Damage.MANIFEST if name == MANIFEST else Damage.CONTENT}


@pytest.mark.parametrize("share", [0.3, pytest.param(0.9, marks=pytest.mark.soak)])
def test_a_dump_whose_pg_dump_was_killed_is_found(made: Made, share: float) -> None:
    """Also when the manifest was sealed over what there was: pg_restore does not come to its end."""
    path = made.folder / backups.DUMP[PRISMA]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    backups.sealed_anew(made.folder)
    assert damages(made) == {Damage.RESTORE}


def test_a_missing_table_is_found(made: Made, still_pair: Pair) -> None:
    """By its name, where the dump restores without it."""
    backups.dump_anew(made.folder, PRISMA, still_pair.primary, "--exclude-table=public.planning")
    assert made.verify().flaws[0].text == "The table public.planning is missing."


def test_another_server_version_is_found(made: Made, still_pair: Pair) -> None:
    """A dump of another version than the manifest names does not pass for this one."""
    backups.dump_anew(made.folder, PRISMA, still_pair.secondary, major=18)
    (flaw,) = made.verify().flaws
    assert flaw.damage is Damage.VERSION
    assert "18." in flaw.text
    assert "16." in flaw.text


def test_a_changed_manifest_is_found(made: Made) -> None:
    """A number that somebody corrected by hand breaks its seal."""
    path = made.folder / MANIFEST
    document = json.loads(path.read_text())
    document["body"]["sides"][0]["datasets"][0]["rows"] += 1
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    assert damages(made) == {Damage.MANIFEST}
    assert list_backups(made.root)[0].trouble


def test_one_of_another_version_is_not_judged(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its manifest means something else: it is not damaged, and nothing is noted; a changed number of its form is."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.backup.manifest.FORMAT", 1)
        (made.folder / MANIFEST).unlink()
        write_manifest(made.folder, made.manifest)
        backups.proven(made.root, made.manifest.id)
    noted = (made.folder / VERIFIED).read_bytes()
    with pytest.raises(ConfigurationError, match=r"made by another version.* nobody can tell"):
        made.verify()
    assert (made.folder / VERIFIED).read_bytes() == noted
    (known,) = list_backups(made.root)
    assert (known.manifest, known.foreign) == (None, True)
    path = made.folder / MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 3'))
    assert damages(made) == {Damage.MANIFEST}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(made: Made, name: str) -> None:
    """It is named, and the backup is listed for as long as its folder is there."""
    backups.proven(made.root, made.manifest.id)
    (made.folder / name).unlink()
    (flaw,) = made.verify().flaws
    assert flaw.damage is Damage.MISSING_FILE
    assert name in flaw.text
    (known,) = list_backups(made.root)
    assert known.trouble == f"The file {name} is missing."
    assert known.verified_at is None


def test_one_that_lost_a_file_counts_as_verified_no_more(made: Made) -> None:
    """Before any drill notices: by the sizes of its files."""
    backups.proven(made.root, made.manifest.id)
    assert kept(made.root, made.manifest.id).verified_at is not None
    backups.cut(made.folder / backups.DUMP[PRISMA], Random(1))
    known = kept(made.root, made.manifest.id)
    assert known.verified_at is None
    assert "is shorter than it was" in known.trouble


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        ("UPDATE planning SET title = title || '.' WHERE id = (SELECT min(id) FROM planning)", Damage.DIGEST),
        pytest.param(
            "DELETE FROM planning WHERE id = (SELECT min(id) FROM planning)", Damage.ROWS, marks=pytest.mark.soak
        ),
        pytest.param("DROP INDEX planning_updated_at_idx", Damage.SHAPE, marks=pytest.mark.soak),
    ],
)
def test_a_dump_of_other_rows_is_found(made: Made, seeded_pair: Pair, statement: str, damage: Damage) -> None:
    """A dump that restores, and does not hold what the manifest says, is none."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(statement.encode())
    backups.dump_anew(made.folder, PRISMA, seeded_pair.primary)
    assert damage in damages(made)


def test_a_flaw_takes_an_earlier_verification_back(made: Made) -> None:
    """What was verified and is damaged since is not verified any more."""
    assert made.verify().passed
    backups.flip(made.folder / FILES[0], Random(1))
    assert not made.verify().passed
    assert kept(made.root, made.manifest.id).verified_at is None


def test_what_was_verified_is_tried_twice(made: Made, servers: Servers) -> None:
    """The files are as they were when they were restored: something else may have gone wrong."""
    path = made.folder / FILES[0]
    good, tries = path.read_bytes(), []

    @contextmanager
    def failing_first(version: int) -> Iterator[Server]:
        tries.append(version)
        path.write_bytes(good if len(tries) == 2 else good[: len(good) // 3])  # after it was compared with its SHA-256
        with made.servers(version) as server:
            yield server

    backups.proven(made.root, made.manifest.id)
    assert backups.drill(made.root, made.manifest.id, failing_first).flaws == ()
    assert len(tries) == 2
    (made.folder / VERIFIED).unlink()
    assert not backups.drill(made.root, made.manifest.id, failing_first).passed
    assert len(tries) == 3


def test_a_program_that_was_killed_says_nothing(made: Made, servers: Servers, tmp_path: Path) -> None:
    """As where memory runs out: nothing is noted, and a verification stays."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for path in servers.primary.programs().iterdir():
        (programs / path.name).symlink_to(path)
    killed = programs / "pg_restore"
    killed.unlink()
    version = 'case "$1" in --version) echo "pg_restore (PostgreSQL) 16.0"; exit;; esac'
    killed.write_text(f"#!/bin/sh\n{version}\nkill -9 $$\n")
    killed.chmod(0o755)

    @contextmanager
    def run(_version: int) -> Iterator[Server]:
        values = {each.name: getattr(servers.primary, each.name) for each in fields(Server)}
        yield WithPrograms(**values, where=programs)

    backups.proven(made.root, made.manifest.id)
    before = kept(made.root, made.manifest.id).verification
    with pytest.raises(Unavailable, match="says nothing about the backup"):
        backups.drill(made.root, made.manifest.id, run)
    assert kept(made.root, made.manifest.id).verification == before


@dataclass(frozen=True, slots=True, kw_only=True)
class WithPrograms(Server):
    """A server whose programs lie elsewhere."""

    where: Path

    def programs(self) -> Path:
        """Return their folder."""
        return self.where


@pytest.mark.soak
def test_errors_of_the_work_are_not_those_of_the_scratch_server(home: Path) -> None:
    """Only what keeps it from being made or started is said of it."""
    with pytest.raises(OSError, match="of the work"), scratch_server(home, 16):
        raise OSError(errno.ENOSPC, "of the work")


def test_nothing_is_left_of_a_drill(made: Made, servers: Servers) -> None:
    """Neither of one that passes nor of one that fails."""
    made.verify()
    backups.cut(made.folder / FILES[0], Random(2))
    backups.sealed_anew(made.folder)
    made.verify()
    for server in (servers.primary, servers.secondary):
        with psycopg.connect(server.dsn()) as connection:
            left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'").fetchone()
        assert left == (0,)


COLLATED = 'CREATE SCHEMA elsewhere; CREATE COLLATION elsewhere.c FROM "C"; CREATE TABLE t (w text COLLATE elsewhere.c)'


@pytest.mark.parametrize("untriable", [PRISMA, pytest.param(SUPABASE, marks=pytest.mark.soak)])
def test_a_flaw_is_noted_whatever_else_cannot_be_tried(
    seeded_pair: Pair, drills: ScratchServers, tmp_path: Path, untriable: StoreName
) -> None:
    """On the other side, or on the same: what was verified before is not verified any more, and a note says why."""
    urls = {PRISMA: seeded_pair.primary, SUPABASE: seeded_pair.secondary}
    with psycopg.connect(urls[untriable]) as connection:
        connection.execute(COLLATED.encode())
    manifest = backups.make(tmp_path, seeded_pair)
    backups.proven(tmp_path, manifest.id)
    backups.flip(tmp_path / manifest.id / backups.DUMP[untriable.other], Random(1))
    found = backups.drill(tmp_path, manifest.id, drills)
    assert [flaw.damage for flaw in found.flaws] == [Damage.CONTENT]
    assert any(note.startswith(f"{untriable} was not tried: TABLE t") for note in found.notes)
    known = kept(tmp_path, manifest.id)
    assert known.verified_at is None
    assert [known.proves(store) for store in (untriable, untriable.other)] == [True, False]  # as it was known before
    with psycopg.connect(urls[untriable]) as connection:
        connection.execute("DELETE FROM planning WHERE ctid = (SELECT min(ctid) FROM planning)")
    backups.dump_anew(tmp_path / manifest.id, untriable, urls[untriable])
    backups.proven(tmp_path, manifest.id)
    texts = [flaw.text for flaw in backups.drill(tmp_path, manifest.id, drills).flaws]
    assert f"The table public.planning has {SEEDED - 1} rows instead of {SEEDED}." in texts
    assert [kept(tmp_path, manifest.id).proves(store) for store in (untriable, untriable.other)] == [False, True]


def test_a_contract_that_grew_proves_nothing(seeded_pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """A column that a dataset has today was not there yet: the digests of whole tables count."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute("ALTER TABLE planning DROP COLUMN source CASCADE")
    fewer = replace(PLANNING, columns=tuple(column for column in PLANNING.columns if column.name != "source"))
    manifest = backups.make(tmp_path, seeded_pair, [fewer], stores=[PRISMA])
    found = backups.drill(tmp_path, manifest.id, drills)
    assert found.passed
    assert any("planning is read otherwise" in note for note in found.notes)


def test_a_flaw_that_a_restore_meets_is_noted(made: Made) -> None:
    """It looks at one side alone: what it finds to be good is not noted, and what is damaged is."""

    def meet() -> None:
        with drilled(made.root, made.manifest.id, [PLANNING], made.servers, only=PRISMA):
            pass

    meet()
    assert kept(made.root, made.manifest.id).verification is None
    backups.proven(made.root, made.manifest.id)
    backups.flip(made.folder / FILES[0], Random(1))
    meet()
    known = kept(made.root, made.manifest.id)
    assert known.verified_at is None
    assert known.verification is not None
    assert known.verification.notes == ("Only prisma was tried.",)


def test_any_dataset_is_restored(pair: Pair, drills: ScratchServers, tmp_path: Path) -> None:
    """Keys of several columns, arrays, generated columns, infinities: all come back as they were."""
    make_tables(pair)
    fill(pair)
    with second_dataset(tmp_path / "datasets") as readings:
        manifest = backups.make(tmp_path, pair, [readings])
        assert [content.rows for side in manifest.sides for content in side.datasets] == [400, 400]
        assert backups.drill(tmp_path, manifest.id, drills, [readings]).flaws == ()
