"""A scheduled repair without Prefect: what a policy allows, what somebody is asked for, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.errors import ConfigurationError
from contracts.vocabulary import Channel, StoreName
from flows.check import threads
from flows.repair.applying import Approval
from flows.repair.attending import Attended, Question, attend, read_unattended, summary, wanted_of
from flows.repair.work import Work, at_work
from flows.settings import load_settings
from tests.support.repairing import environment_of, remember_run
from tests.support.servers import Pair
from tests.support.two_stores import keys, run, titled, titles

PRISMA, SUPABASE = StoreName
WRONG = "somebody else's title"
POLICY = 'version = 1\nmodes = ["upsert-only"]\ncauses = ["missing_row"]\nmax_steps = {steps}\nbeyond = "{beyond}"\n'


@dataclass(slots=True)
class Somebody:
    """Approves what they are asked for, or nothing.

    Attributes:
        approves: Whether they do.
        asked: What they were asked for.
    """

    approves: bool = True
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> Approval | None:
        """Answer."""
        self.asked.append(question)
        return Approval(digits=question.made.known.plan_hash, by="somebody") if self.approves else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Stores on which a title differs and a row is missing, and the run that saw it."""

    pair: Pair
    work: Work
    folder: Path
    titled: str
    missing: str
    run_id: str

    def attend(self, somebody: Somebody, *, steps: int = 5, beyond: str | None = None) -> Attended:
        """Repair, with a policy that allows rows that are missing, or with none."""
        policy = None
        if beyond is not None:
            file = self.folder / "repair.toml"
            file.write_text(POLICY.format(steps=steps, beyond=beyond))
            policy = read_unattended(file)
        wanted = wanted_of("upsert-only", "primary")
        with threads() as conductor:
            return attend(self.work, conductor, "planning", wanted, ask=somebody, run_id=self.run_id, policy=policy)

    def mended(self) -> tuple[bool, bool]:
        """Say whether the title, and the missing row, are mended."""
        there = titles(self.pair, SUPABASE)
        return there[self.titled] != WRONG, self.missing in there


@contextmanager
def site_of(pair: Pair, home: Path, patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Site]:
    """Break a pair, and let the environment point to it."""
    with environment_of(pair, Channel.SQL, home, patch):
        first, second = keys(pair, 2)
        titled(pair, SUPABASE, first, WRONG)
        run(pair, SUPABASE, "DELETE FROM public.planning WHERE id::text = %s", second)
        run_id = remember_run(home, {first: "differing", second: "only_primary"})
        with at_work(load_settings()) as work:
            yield Site(pair=pair, work=work, folder=folder, titled=first, missing=second, run_id=run_id)


@pytest.fixture
def site(seeded_pair: Pair, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """Stores that differ in two ways."""
    with site_of(seeded_pair, home, monkeypatch, tmp_path) as site:
        yield site


def test_what_a_policy_allows_is_done_and_the_rest_is_asked_for(site: Site) -> None:
    """The missing row needs nobody; the title is somebody's to approve, in a second plan from the same run."""
    somebody = Somebody()
    attended = site.attend(somebody, beyond="ask")
    assert (attended.exit_code, site.mended()) == (0, (True, True))
    (question,) = somebody.asked
    (step,) = question.made.known.plan.steps
    assert step.key == site.titled
    approved = {one.approved_by or "" for one in site.work.memory.repairs.list()}
    assert "somebody" in approved
    assert any(by.startswith("policy repair.toml (") for by in approved if by != "somebody")


def test_what_is_beyond_a_policy_is_left(site: Site) -> None:
    """Nobody is asked; the title stays as it is and is told each time, and nothing of that is an error."""
    somebody = Somebody()
    for _ in range(2):
        attended = site.attend(somebody, beyond="leave")
        assert (attended.exit_code, site.mended(), somebody.asked) == (0, (False, True), [])
        plan = site.work.memory.repairs.list()[0]
        assert plan.steps == 1
        told = f"Not done by the policy: 1 step (unexplained), as plan {plan.id} has it."
        assert told in attended.sentences[-1]
    site.attend(somebody)
    assert site.attend(somebody, beyond="leave").sentences == ("There is nothing to repair; left to people: 0 rows.",)


def test_more_than_a_policy_allows_is_not_begun(site: Site) -> None:
    """A second missing row makes two steps of one: none is taken, and the sentence says why."""
    third = keys(site.pair, 3)[2]
    run(site.pair, SUPABASE, "DELETE FROM public.planning WHERE id::text = %s", third)
    again = remember_run(site.work.settings.home, {site.missing: "only_primary", third: "only_primary"}, ago_h=0.5)
    two = Site(
        pair=site.pair, work=site.work, folder=site.folder, titled=site.titled, missing=site.missing, run_id=again
    )
    somebody = Somebody()
    attended = two.attend(somebody, steps=1, beyond="leave")
    assert (attended.exit_code, site.mended(), somebody.asked) == (1, (False, False), [])
    assert "The policy allows 1 steps, and there are 2." in attended.sentences
    asked = two.attend(Somebody(approves=False), steps=1, beyond="ask")
    assert (asked.exit_code, site.mended()) == (1, (False, False))


def test_without_a_policy_somebody_is_asked_for_all_of_it(site: Site) -> None:
    """What they read names the hash, the numbers and the page, and no value; declined, nothing is written."""
    declines, approves = Somebody(approves=False), Somebody()
    assert site.attend(declines).exit_code == 1
    assert site.mended() == (False, False)
    text = summary(declines.asked[0])
    assert declines.asked[0].made.known.plan_hash in text
    assert "insert on supabase: 1 row\n" in text
    assert WRONG not in text
    assert site.attend(approves).exit_code == 0
    assert site.mended() == (True, True)


def test_a_policy_that_is_not_understood_repairs_nothing(tmp_path: Path) -> None:
    """The place is named, and where to read what a policy may say."""
    file = tmp_path / "repair.yaml"
    file.write_text("version: 1\nmodes: [upsert-only]\ncauses: [missing_row]\nmax_steps: 5\nmax_rows: 3\n")
    with pytest.raises(ConfigurationError) as refused:
        read_unattended(file)
    assert "line 5: max_rows is no key of a policy" in refused.value.what
    assert "docs/scheduling.md" in refused.value.todo
