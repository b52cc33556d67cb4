"""`twinstore erase`: what twinstore itself keeps with values of one user goes, what others own and need stays."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.backups import Manifest
from contracts.repair import Ended
from contracts.vocabulary import Channel, StoreName
from reports import publish
from storage.backup.folder import in_use
from storage.backup.manifest import write_manifest
from storage.repair.plan_file import read_plan, write_plan
from storage.rest import row_file
from storage.state import open_state
from tests.support.accounts import superuser_of
from tests.support.command import flat
from tests.support.factories import MASK_KEY, make_dataset, make_difference, make_field, make_report
from tests.support.repairing import Said, environment_of, remember_run, say
from tests.support.servers import Pair
from tests.support.two_stores import TABLE, run, titled, work_on

PRISMA, SUPABASE = StoreName
SECRET = "What only this user wrote"
ROWS = f"SELECT count(*) FROM {TABLE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Stores in which traces of one user lie, and of another one."""

    pair: Pair
    home: Path
    user: str
    other: str
    key: str
    other_key: str

    def ask(self, store: StoreName, query: str, *values: object) -> Any:
        """Return the one value that a query gives."""
        with psycopg.connect(superuser_of(self.pair, store)) as connection:
            ((value,),) = connection.execute(query, values).fetchall()
        return value

    def repaired(self, key: str) -> str:
        """Let a repair write a row, and return its plan."""
        titled(self.pair, SUPABASE, key, SECRET)
        run_id = remember_run(self.home, {key: "differing"})
        plan = say("repair", "plan", "--run", run_id, "--json").document
        assert say("repair", "apply", plan["id"], "--approve", plan["plan_hash"]).code == 0
        return str(plan["id"])

    def reported(self, key: str, *, masked: bool, value: str = SECRET) -> Path:
        """Publish a report of a run that found a key, with a value of the secondary."""
        difference = make_difference(1, make_field("title", "x", value))
        dataset = make_dataset(differences=(type(difference)(key=key, kind=difference.kind, fields=difference.fields),))
        name = f"20260101T00000{int(masked)}000Z-{key[:4]}"
        report = make_report(run_id=name, masked=masked, datasets=(dataset,))
        return publish(report, self.home / "runs", mask_key=MASK_KEY)


@pytest.fixture
def site(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Records of two users."""
    with environment_of(seeded_pair, Channel.SQL, home, monkeypatch):
        with psycopg.connect(seeded_pair.primary) as connection:
            rows = connection.execute(
                f"SELECT DISTINCT ON (user_id) user_id, id::text FROM {TABLE} WHERE user_id ~ '^[0-9a-f-]{{36}}$'"
                " ORDER BY user_id LIMIT 2"
            ).fetchall()
        (user, key), (other, other_key) = rows
        yield Site(pair=seeded_pair, home=home, user=user, other=other, key=key, other_key=other_key)


def conflict(site: Site, key: str, monkeypatch: pytest.MonkeyPatch, *, decided: bool) -> None:
    """Keep the secondary's row of a key as a conflict, decided or not."""
    with work_on(site.pair, Channel.SQL, site.home, monkeypatch) as work:
        (replication,) = work.replications
        assert replication.secondary is not None
        row = replication.secondary.look([key])[key].row
        replication.book.keep("adopted", {key: row})
        if decided:
            (kept,) = replication.book.conflicts(keys=[key])
            with replication.book.deciding(kept, keep="secondary") as undecided:
                assert undecided


def test_what_we_keep_of_a_user_is_erased_and_counted(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plans, journals, open reports, decided conflicts, the audit log, spooled rows; nothing of another user."""
    monkeypatch.setattr(row_file.tempfile, "tempdir", str(tmp_path))  # type: ignore[attr-defined]  # where rows are spooled
    ours, theirs = site.repaired(site.key), site.repaired(site.other_key)
    revealed = site.reported(site.key, masked=False)
    kept = [site.reported(site.key, masked=True), site.reported(site.other_key, masked=False)]
    elsewhere = site.home / "repairs" / "20260101T000000000Z-else"  # of another environment, which this memory ignores
    shutil.copytree(site.home / "repairs" / ours, elsewhere)
    os.utime(elsewhere / "journal.jsonl", (time.time() - 90_000,) * 2)
    named = say("repair", "plan", "--run", remember_run(site.home, {}), "--user", site.user, "--json").document
    assert (named["steps"], site.user in json.dumps(named)) == (0, False)
    conflict(site, site.key, monkeypatch, decided=True)
    conflict(site, site.other_key, monkeypatch, decided=True)
    left, used = tmp_path / "twinstore-rows-left", tmp_path / "twinstore-rows-used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "rows").write_text(SECRET)
    old = time.time() - 7200
    os.utime(left / "rows", (old, old))
    os.utime(left, (old, old))
    rows = [site.ask(store, ROWS) for store in StoreName]
    audited = "SELECT count(*) FROM public.planning_audit_log WHERE old_data ->> 'user_id' = %s"
    assert site.ask(SUPABASE, audited, site.user) > 0

    said = say("erase", "--user", site.user, "--yes", "--json")
    assert said.code == 0, said.err
    counts = said.document["erased"]
    assert {name: counts[name] for name in ("plans", "reports", "conflicts", "spooled", "backups")} == {
        "plans": 3,  # one of which has no step, and names the user
        "reports": 1,
        "conflicts": 1,
        "spooled": 1,
        "backups": 0,
    }
    assert counts["audit_lines"] > 0
    assert site.ask(SUPABASE, audited, site.user) == 0
    assert site.ask(SUPABASE, audited, site.other) > 0
    repairs = site.home / "repairs"
    assert ((repairs / ours).exists(), (repairs / theirs).exists()) == (False, True)
    assert not elsewhere.exists()
    assert not [one for one in repairs.rglob("*") if one.is_file() and site.user in one.read_text(encoding="utf-8")]
    assert (revealed.exists(), [folder.exists() for folder in kept]) == (False, [True, True])
    assert (left.exists(), used.exists()) == (False, True)
    assert site.ask(PRISMA, "SELECT count(*) FROM twinstore.conflict") == 1
    assert [site.ask(store, ROWS) for store in StoreName] == rows  # the application's records are not ours
    again = say("erase", "--user", site.user, "--yes")
    assert "Nothing of ours holds values of this user." in flat(again.err)


def aged(folder: Path) -> None:
    """Let a folder be one that nobody wrote to for two hours."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (time.time() - 7200,) * 2)


def test_what_a_killed_process_left_may_hold_anything(site: Site) -> None:
    """Folders without their plan or their report go, once nothing may be writing to them; until then they are named."""
    plan, report = site.home / "repairs" / site.repaired(site.key), site.reported(site.key, masked=False)
    (plan / "plan.json").rename(plan / ".plan.json-k3j2h1g0")  # as a kill in between leaves it
    for gone in (*plan.glob("[!.]*"), report / "report.json"):
        gone.unlink()
    with open_state(f"sqlite:///{site.home / 'state.sqlite'}", environment="default") as state:
        state.repairs.prune(now=datetime.now(UTC) + timedelta(days=1), kept=timedelta(0))
    finished = site.reported(site.other_key, masked=False, value="x" * 200_000)
    aged(finished)
    places = [f"repairs/{plan.name}", f"runs/{report.name}"]
    young = say("erase", "--user", site.user, "--yes", "--json")
    assert (young.code, young.document["not_looked_at"]) == (1, places)
    told = flat(say("erase", "--user", site.user, "--yes").out)
    assert all(f"{place} was not looked at" in told for place in places)
    assert (plan.exists(), report.exists()) == (True, True)

    aged(plan)
    aged(report)
    half = [site.home / "backups" / ".building-20260101T000000000Z-abcd", site.home / "scratch" / "0123456789abcdef"]
    for folder in half:
        folder.mkdir(parents=True)
        (folder / "rows").write_text(SECRET)
    half[1].with_name(f"{half[1].name}.in-use").touch()
    old = say("erase", "--user", site.user, "--yes", "--json")
    assert (old.code, old.document["not_looked_at"]) == (0, [])
    assert {name: old.document["erased"][name] for name in ("plans", "reports")} == {"plans": 1, "reports": 1}
    assert [folder.exists() for folder in (plan, report, *half, finished)] == [False] * 4 + [True]


def test_an_owner_is_one_however_the_id_is_spelt(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Capitals, braces and hyphens do not count: neither in what is kept nor in what is asked for."""
    spelt = f"{{{site.user.upper()}}}"
    plan = site.home / "repairs" / site.repaired(site.key)
    whole, _ = read_plan(plan / "plan.json")
    (step,) = whole.steps
    rows = [{**(row or {}), "user_id": spelt} for row in (step.before, step.after)]
    write_plan(replace(whole, steps=(replace(step, before=rows[0], after=rows[1]),)), plan)
    conflict(site, site.key, monkeypatch, decided=True)
    run(site.pair, PRISMA, f"UPDATE {TABLE} SET user_id = %s WHERE user_id = %s", spelt, site.user)
    run(site.pair, SUPABASE, f"DELETE FROM {TABLE} WHERE user_id = %s", site.user)
    reports = [site.reported(site.key, masked=False), site.reported(site.other_key, masked=False, value=spelt)]
    run(site.pair, PRISMA, "UPDATE twinstore.conflict SET loser = jsonb_set(loser, '{5}', to_jsonb(%s::text))", spelt)
    said = say("erase", "--user", site.user, "--yes", "--json").document["erased"]
    assert {name: said[name] for name in ("plans", "reports", "conflicts")} == {
        "plans": 1,
        "reports": 2,
        "conflicts": 1,
    }
    assert [folder.exists() for folder in (plan, *reports)] == [False] * 3
    again = site.home / "repairs" / site.repaired(site.other_key)
    audited = "SELECT count(*) FROM public.planning_audit_log WHERE old_data ->> 'user_id' = %s"
    assert site.ask(SUPABASE, audited, site.other) > 0
    said = say("erase", "--user", site.other.upper(), "--yes", "--json").document["erased"]
    assert (said["plans"], again.exists(), site.ask(SUPABASE, audited, site.other)) == (1, False, 0)


def test_an_owner_is_found_however_json_escapes_the_id(site: Site) -> None:
    """Also in a report that shows a text of JSON, in which everything is escaped twice."""
    user = 'CORP\\"Joe"'
    values = (user, json.dumps({"userId": user}), json.dumps(json.dumps([user])), "CORP")
    reports = [site.reported(f"{n:04}", masked=False, value=value) for n, value in enumerate(values)]
    assert say("erase", "--user", user, "--yes", "--json").document["erased"]["reports"] == 3
    assert [folder.exists() for folder in reports] == [False, False, False, True]


def test_what_has_to_stay_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open conflict waits for somebody, a plan that was begun for its end, a backup for its day."""
    plan = site.repaired(site.key)
    with open_state(f"sqlite:///{site.home / 'state.sqlite'}", environment="default") as state:
        (repair,) = state.repairs.list()
        state.repairs.plan(replace(repair, ended=Ended.BEGUN))
    elsewhere = site.home / "repairs" / "20260101T000000000Z-else"  # another environment may be at it right now
    shutil.copytree(site.home / "repairs" / plan, elsewhere)
    conflict(site, site.key, monkeypatch, decided=False)
    said = say("erase", "--user", site.user, "--yes")
    told = flat(said.out)
    assert said.code == 1
    for one in (plan, elsewhere.name):
        assert f"Plan {one} is being carried out" in told
        assert (site.home / "repairs" / one).exists()
    assert f"end it as it is by `twinstore repair close {plan}`" in told
    assert f"An open conflict of {site.key} stays" in told
    assert "The application's own records are not ours to delete" in told
    assert site.ask(PRISMA, "SELECT count(*) FROM twinstore.conflict") == 1
    assert say("repair", "close", plan).code == 0
    assert f"Plan {plan}" not in flat(say("erase", "--user", site.user, "--yes").out)
    assert not (site.home / "repairs" / plan).exists()


def test_over_rest_the_audit_log_is_left_to_somebody(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key of ours may delete there: the statement is printed, and the exit code says that it is left to do."""
    with environment_of(seeded_pair, Channel.RPC, home, monkeypatch):
        said = say("erase", "--user", "somebody", "--yes")
    assert said.code == 1
    assert "The audit log cannot be reached by SQL. Run there" in flat(said.out)


def test_backups_stay_until_their_day_unless_they_are_meant(site: Site) -> None:
    """Each is listed with the date on which retention removes it; `--backups` removes them now."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    folder = site.home / "backups" / "20260101T000000000Z-abcd"
    folder.mkdir(parents=True)
    manifest = Manifest(id=folder.name, environment="default", version="1", created_at=made, seconds=1.0, sides=())
    write_manifest(folder, manifest)
    said = say("erase", "--user", site.user, "--yes")
    assert f"Backup {folder.name} stays; retention removes it on 2026-03-02" in flat(said.out)
    assert folder.exists()
    assert "Nothing else of ours holds values of this user." in flat(said.err)
    with in_use(folder):
        used = say("erase", "--user", site.user, "--yes", "--backups")
        machine = say("erase", "--user", site.user, "--yes", "--backups", "--json")
    assert (used.code, machine.code, folder.exists()) == (1, 1, True)
    assert f"Backup {folder.name} stays: somebody verifies or restores it." in flat(used.out)
    assert [one["id"] for one in machine.document["backups"]] == [folder.name]
    torn = folder.with_name("20260102T000000000Z-abcd")  # its manifest is lost, and its dump holds everything
    torn.mkdir()
    (torn / "prisma.dump").write_text(SECRET)
    assert f"Backup {torn.name} stays; retention removes it on 2026-03-03" in flat(
        say("erase", "--user", site.user, "--yes").out
    )
    gone = say("erase", "--user", site.user, "--yes", "--backups", "--json")
    assert gone.code == 0
    assert (gone.document["erased"]["backups"], gone.document["backups"]) == (2, [])
    assert [one.exists() for one in (folder, torn)] == [False, False]


def test_a_conflict_is_found_whatever_columns_it_was_kept_with(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """By those that it tells; without them a UUID in any place, another id in a row with more or fewer columns."""
    conflict(site, site.key, monkeypatch, decided=True)
    conflict(site, site.other_key, monkeypatch, decided=True)
    run(
        site.pair,
        PRISMA,
        "UPDATE twinstore.conflict SET loser = loser - 4, columns = array_remove(columns, columns[5]) WHERE key = %s",
        site.key,
    )
    run(
        site.pair,
        PRISMA,
        "INSERT INTO twinstore.conflict (dataset, key, kind, rev) VALUES ('planning', 'x', 'adopted', 1)",
    )

    def erased(user: str) -> int:
        return int(say("erase", "--user", user, "--yes", "--json").document["erased"]["conflicts"])

    run(
        site.pair,
        PRISMA,
        "UPDATE twinstore.conflict SET loser = jsonb_set(loser, '{0}', to_jsonb(%s::text)) WHERE key = %s",
        site.user,
        site.other_key,
    )
    assert (erased(site.user), erased(site.user)) == (1, 0)  # not where another column has it
    renamed = "UPDATE twinstore.conflict SET columns = array_replace(columns, 'user_id', 'owner_id')"
    run(site.pair, PRISMA, renamed)
    assert erased(site.user) == 1  # nobody knows any more which one it was
    conflict(site, site.other_key, monkeypatch, decided=True)
    run(site.pair, PRISMA, "UPDATE twinstore.conflict SET columns = NULL")
    owned = "UPDATE twinstore.conflict SET loser = jsonb_set(loser, '{5}', '\"7\"') WHERE key = %s"
    run(site.pair, PRISMA, owned, site.other_key)
    run(
        site.pair,
        PRISMA,
        "UPDATE twinstore.conflict SET loser = jsonb_set(loser, '{0}', '\"8\"') WHERE loser IS NOT NULL",
    )
    assert erased("8") == 0  # the number of another column
    run(site.pair, PRISMA, "UPDATE twinstore.conflict SET loser = loser - 4 WHERE loser IS NOT NULL")
    assert erased("7") == 1


@pytest.mark.soak
def test_over_rest_the_statement_for_the_audit_log_is_printed(
    seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the secondary is reached over REST only, somebody has to run it; the rest is erased."""
    with environment_of(seeded_pair, Channel.RPC, home, monkeypatch):
        told = flat(say("erase", "--user", "11111111-1111-4111-8111-111111111111", "--yes").out)
        assert 'DELETE FROM "public"."planning_audit_log" WHERE translate(lower($1::text)' in told


def test_erasing_asks_first(site: Site) -> None:
    """Without a yes nothing goes, and it says what would."""
    plan = site.repaired(site.key)
    said = say("erase", "--user", site.user)
    assert said.code == 2
    assert "1 plan of repair with its journal" in flat(said.err)
    assert "There is no terminal to ask on" in flat(said.err)
    assert (site.home / "repairs" / plan).exists()
    assert blank().code == 2


def blank() -> Said:
    """Say nobody's id."""
    return say("erase", "--user", " ", "--yes")
