"""The embedded pair: up, down, status, wherever its folder is and whoever runs it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from contracts.errors import ConfigurationError
from storage.local import binaries, processes
from storage.local.pair import LocalPair, PairInfo
from tests.integration.storage.local.conftest import Pairs, child

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")

_UP = """
import sys
from pathlib import Path
from storage.local.pair import LocalPair
LocalPair(Path(sys.argv[1]), durable=False, shelter=Path(sys.argv[2])).up()
"""

# Loads everything as root, since an interpreter may lie where others cannot read it, and then is a normal user.
_UP_AND_DOWN_AS = """
import os, sys
from pathlib import Path
import encodings.ascii, encodings.idna, psycopg
from importlib.resources import files
from psycopg import sql
from pydantic import SecretStr
from storage.local import LocalPair
from storage.local.binaries import bin_folder
(files("storage.local") / "prisma.sql").read_bytes()
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); os.chdir("/")
if not os.access(bin_folder(16) / "postgres", os.X_OK) or not os.access(files("storage.local"), os.X_OK):
    sys.exit(77)
pair = LocalPair(Path(sys.argv[1]), durable=False, with_rest=False)  # a normal user may not start this interpreter
info = pair.up()
assert info.running and pair.status().running
with psycopg.connect(info.secondary.dsn.get_secret_value()) as connection:
    connection.execute("SELECT auth.uid()")
assert not pair.down().running
"""


def _modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode and owners of a folder and of all folders above it."""
    return {p: ((s := p.stat()).st_mode, s.st_uid, s.st_gid) for p in (path, *path.parents)}


def _urls(info: PairInfo) -> tuple[str, str]:
    assert info.primary.dsn is not None
    assert info.secondary.dsn is not None
    return info.primary.dsn.get_secret_value(), info.secondary.dsn.get_secret_value()


def _works(info: PairInfo) -> bool:
    """Ask both stores who we are, and the primary for its table."""
    primary, secondary = _urls(info)
    with psycopg.connect(primary) as one, psycopg.connect(secondary) as two:
        assert one.execute("SELECT current_user::text, count(*) FROM planning").fetchone() == ("app", 0)
        row = two.execute("SELECT current_user::text, current_setting('is_superuser')").fetchone()
    return info.running and row == ("postgres", "off")


def test_pair_goes_up_and_down(pairs: Pairs, folder: Path) -> None:
    """Up starts both servers, down stops them, status tells; URLs stay the same across a restart."""
    pair = pairs.at(folder / "home", with_rest=True)
    before = pair.status()
    assert not before.running
    assert before.primary.dsn is None
    assert not (folder / "home").exists()  # status writes nothing
    up = pair.up()
    assert _works(up)
    assert (up.primary.version, up.secondary.version) == (16, 18)
    down = pair.down()
    assert not down.primary.running
    assert not down.secondary.running
    assert _works(pair.up())
    assert _urls(pair.status()) == _urls(up)


def test_down_before_the_first_up_does_nothing(pairs: Pairs, folder: Path) -> None:
    """Stopping what was never started is no error and leaves no trace."""
    assert not pairs.at(folder / "home").down().running
    assert not (folder / "home").exists()


def test_up_keeps_rows_and_table(pairs: Pairs, folder: Path) -> None:
    """A second up changes nothing in the stores."""
    pair = pairs.at(folder / "home")
    primary, _ = _urls(pair.up())
    with psycopg.connect(primary) as connection:
        connection.execute(
            "INSERT INTO planning (id, type, title, content, updated_at) VALUES ('1', 'story', 't', '{}', now())"
        )
    pair.up()
    with psycopg.connect(primary) as connection:
        assert connection.execute("SELECT count(*) FROM planning").fetchone() == (1,)


@pytest.mark.parametrize("mode", [0o700, pytest.param(0o711, marks=pytest.mark.soak)])
def test_removed_pair_leaves_nothing(pairs: Pairs, folder: Path, mode: int) -> None:
    """Removing stops the servers and deletes all files of the pair, in the shelter as well."""
    home = folder / "home"
    home.mkdir()
    home.chmod(mode)
    pair = pairs.at(home, with_rest=True)
    pair.up()
    pair.remove()
    assert not pair.status().running
    assert [p.name for p in home.iterdir()] == ["pair.lock"]
    assert not pairs.shelter.exists() or list(pairs.shelter.iterdir()) == []
    pair.remove()


def test_passwords_do_not_show(pairs: Pairs, folder: Path) -> None:
    """What a status prints holds no password."""
    info = pairs.at(folder / "home").up()
    for url in _urls(info):
        assert url.split(":")[2].split("@")[0] not in repr(info)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with space", id="space", marks=pytest.mark.soak),
        pytest.param("계획 été 🎬", id="unicode", marks=pytest.mark.soak),
        pytest.param('계획 it\'s "quoted" $HOME `x` %s;', id="shell", marks=pytest.mark.soak),
        pytest.param("/".join(["deep" * 20] * 5), id="deep"),
    ],
)
def test_any_folder_name_will_do(pairs: Pairs, folder: Path, name: str) -> None:
    """Spaces, other scripts, characters of the shell and paths beyond the length of a socket's are all fine."""
    assert _works(pairs.at(folder / name, with_rest=True).up())


def test_relative_home_is_resolved(pairs: Pairs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder means the one below the folder in which the command runs."""
    monkeypatch.chdir(folder)
    info = pairs.at(Path("home")).up()
    assert _works(info)
    assert info.primary.folder == folder / "home" / "pair" / "primary"


@pytest.mark.soak
def test_home_may_move_while_the_pair_is_down(pairs: Pairs, folder: Path) -> None:
    """Nothing in the folder knows where it is."""
    pair = pairs.at(folder / "before", with_rest=True)
    pair.up()
    pair.down()
    (folder / "before").rename(folder / "after")
    assert _works(pairs.at(folder / "after", with_rest=True).up())


@pytest.mark.parametrize("mode", [0o755, *(pytest.param(mode, marks=pytest.mark.soak) for mode in (0o711, 0o700))])
def test_modes_of_existing_folders_stay(pairs: Pairs, folder: Path, mode: int) -> None:
    """No folder that was there gets another mode or owner, be it open or closed to others."""
    above = folder / "above"
    home = above / "home"
    home.mkdir(parents=True)
    above.chmod(mode)
    home.chmod(mode)
    before = _modes(home)
    assert _works(pairs.at(home).up())
    pairs.at(home).down()
    assert _modes(home) == before


@as_root
def test_closed_home_of_root_is_kept_elsewhere(pairs: Pairs, folder: Path) -> None:
    """Where the account of the servers cannot enter, they live in the shelter, and home remembers it."""
    home = folder / "closed" / "home"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    pair = pairs.at(home, with_rest=True)
    info = pair.up()
    assert _works(info)
    assert (home / "pair").readlink().parent == pairs.shelter
    assert info.primary.folder.is_relative_to(pairs.shelter)
    pair.down()
    (home / "pair").unlink()
    assert _urls(pair.up()) == _urls(info)  # a lost link is found again, and the data with it


@as_root
def test_only_root_reads_passwords_in_the_shelter(pairs: Pairs, folder: Path) -> None:
    """Others may pass through the shelter and list or read nothing in it."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    info = pairs.at(home, with_rest=True).up()
    below = [p for p in pairs.shelter.rglob("*") if "data" not in p.parts]
    readable = [p for p in (pairs.shelter, *below) if p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~0o011]
    assert readable == []
    assert _works(info)


@pytest.mark.soak
@as_root
def test_closed_programs_are_copied_once(pairs: Pairs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the account cannot run the installed programs it runs a copy, made once."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for source in (binaries._wheel(), binaries._wheel().with_suffix(".libs")):
        shutil.copytree(source, closed / source.name, symlinks=True)
    monkeypatch.syspath_prepend(str(closed))
    pair = pairs.at(folder / "home", with_rest=True)
    assert binaries.bin_folder(16).is_relative_to(closed)
    assert _works(pair.up())
    (copy,) = pairs.shelter.glob("postgresql-*")
    made = copy.stat().st_ctime_ns
    pair.down()
    assert _works(pair.up())
    assert {p.name for p in pairs.shelter.iterdir()} == {copy.name, "copy.lock"}
    assert copy.stat().st_ctime_ns == made


@as_root
def test_normal_user_can_run_the_pair(folder: Path) -> None:
    """A user without rights makes, starts and stops a pair of their own."""
    own = folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    runner = child(_UP_AND_DOWN_AS, own / "home", 65534)
    _, said = runner.communicate(timeout=120)
    if runner.returncode == 77:
        pytest.skip("another user cannot read this checkout")
    assert (runner.returncode, said) == (0, "")
    assert {p.stat().st_uid for p in own.rglob("*")} == {65534}
    assert not [p for p in own.rglob("*") if p.stat().st_mode & 0o077]


@as_root
def test_root_leaves_a_users_pair_usable(pairs: Pairs, folder: Path) -> None:
    """What root starts or makes in the folder of a normal user belongs to that user."""
    own = folder / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    first = child(_UP_AND_DOWN_AS, own / "home", 65534)
    _, said = first.communicate(timeout=120)
    if first.returncode == 77:
        pytest.skip("another user cannot read this checkout")
    assert (first.returncode, said) == (0, "")
    for home in ("home", "new"):
        pair = pairs.at(own / home, with_rest=True)
        assert _works(pair.up())
        pair.down()
    assert {p.stat().st_uid for p in own.rglob("*")} == {65534}


@as_root
def test_pair_of_somebody_else_is_refused_in_words(pairs: Pairs, folder: Path) -> None:
    """A normal user cannot use the pair of root, and is told so in one sentence."""
    home = folder / "home"
    pairs.at(home).up()
    code = _UP_AND_DOWN_AS.replace(
        "info = pair.up()",
        "from contracts.errors import *\ntry: pair.status()\nexcept ConfigurationError as e: sys.exit(str(e))\n",
    )
    runner = child(code, home, 65534)
    _, said = runner.communicate(timeout=60)
    if runner.returncode == 77:
        pytest.skip("another user cannot read this checkout")
    assert "cannot use" in said
    assert "Traceback" not in said


def test_path_beyond_all_limits_is_refused_in_words(folder: Path) -> None:
    """A path that PostgreSQL would cut off is refused before anything is written."""
    home = folder / "/".join(["deep" * 50] * 6)
    with pytest.raises(ConfigurationError, match="longer than"):
        LocalPair(home, durable=False, shelter=folder / "shelter").up()
    assert list((home / "pair").iterdir()) == []


def test_file_in_the_place_of_home_is_refused_in_words(folder: Path) -> None:
    """A home that is a file gives one sentence of what is wrong and one of what to do."""
    (folder / "home").write_text("")
    with pytest.raises(ConfigurationError, match="TWINSTORE_HOME"):
        LocalPair(folder / "home").up()


@pytest.mark.soak
def test_two_ups_at_once_make_one_pair(pairs: Pairs, folder: Path) -> None:
    """Commands given at the same time wait for each other; all succeed."""
    runners = [child(_UP, folder / "home", pairs.shelter) for _ in range(3)]
    pair = pairs.at(folder / "home", with_rest=True)
    for runner in runners:
        _, said = runner.communicate(timeout=120)
        assert (runner.returncode, said) == (0, "")
    info = pair.status()
    assert _works(info)
    for server in pair._servers(folder / "home" / "pair"):
        assert len(processes.postmasters(server._mark)) == 1


_MOMENTS: dict[str, Callable[[Path], bool]] = {
    "first password": lambda pair: (pair / "primary/postgres.password").exists(),
    "initdb": lambda pair: any(pair.glob("primary/building-*/data")),
    "first start": lambda pair: (pair / "primary/alive").exists(),
    "second initdb": lambda pair: any(pair.glob("secondary/building-*/data")),
    "second start": lambda pair: (pair / "secondary/port").exists(),
    "roles": lambda pair: (pair / "primary/app.password").exists(),
    "dress": lambda pair: (pair / "secondary/postgres.password").exists(),
}


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        *(
            pytest.param(moment, signal.SIGKILL, marks=() if moment == "roles" else pytest.mark.soak)
            for moment in _MOMENTS
        ),
        pytest.param("initdb", signal.SIGINT, marks=pytest.mark.soak),
        pytest.param("roles", signal.SIGINT, marks=pytest.mark.soak),
    ],
)
def test_interrupted_up_is_completed_by_the_next(pairs: Pairs, folder: Path, moment: str, how: signal.Signals) -> None:
    """Wherever a first up is cut off, the next one completes the pair."""
    home = folder / "home"
    runner = child(_UP, home, pairs.shelter)
    while not _MOMENTS[moment](home / "pair") and runner.poll() is None:
        time.sleep(0.001)
    os.killpg(runner.pid, how)
    runner.communicate()
    assert _works(pairs.at(home).up())


def test_pair_comes_back_after_a_power_cut(pairs: Pairs, folder: Path) -> None:
    """All processes gone at once, pid files left behind: up works and every commit is there."""
    pair = pairs.at(folder / "home")
    primary, _ = _urls(pair.up())
    with psycopg.connect(primary) as connection:
        connection.execute(
            "INSERT INTO planning (id, type, title, content, updated_at) VALUES ('1', 'story', 't', '{}', now())"
        )
    for server in pair._servers(folder / "home" / "pair"):
        for pid in processes.postmasters(server._mark) | processes.children(server._mark):
            processes.send(pid, signal.SIGKILL)
    assert (folder / "home/pair/primary/data/postmaster.pid").exists()
    primary, _ = _urls(pair.up())
    with psycopg.connect(primary) as connection:
        assert connection.execute("SELECT count(*) FROM planning").fetchone() == (1,)
