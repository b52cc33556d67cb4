"""The page of a plan of repair and of its outcome."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest

from contracts.repair import Act, Brake, Braked, Ended, Override, Verified, Why
from reports.repair import plan_document, repair_html
from tests.support.factories import MASK_KEY
from tests.support.repair_views import HASH, KEY, Reader, make_header, make_left, make_outcome, make_step, make_view

HELD = Braked(brake=Brake.ROWS, what="The plan has 500 steps.", todo="`--allow rows=500` takes it off.", number=500)
STUCK = Braked(brake=Brake.OTHER_PAIR, what="It was made for another pair.", todo="Make a plan for this pair.")


def test_a_plan_says_what_it_does_and_how_it_is_carried_out() -> None:
    """Its page has the sum, the reason, the hash, and the command that approves it."""
    page = repair_html(make_view(make_step()), mask_key=MASK_KEY)
    assert "1 step: 1 update on supabase." in page
    assert "since prisma is the source." in page
    assert HASH in page
    assert f"twinstore repair apply 20260304T050607000Z-aaaa --approve {HASH[:12]}</code>" in page


def test_personal_values_are_masked_unless_they_are_revealed() -> None:
    """The default shows length and hash; a reader who may see values sees before and after."""
    view = make_view(make_step())
    masked = repair_html(view, mask_key=MASK_KEY)
    assert "old title" not in masked
    assert "new title" not in masked
    assert "9 characters, hash" in masked
    shown = re.sub(
        r"</?(mark|span)>", "", repair_html(replace(view, discretion=Reader(masked=False)), mask_key=MASK_KEY)
    )
    assert "old title" in shown
    assert "new title" in shown
    assert "This page shows personal values." in shown


def test_only_the_keys_of_a_json_column_that_change_are_told() -> None:
    """A body whose title changes shows its title, not its type."""
    page = repair_html(make_view(make_step(fields=("content",))), mask_key=MASK_KEY)
    assert "content.title" in page
    assert "content.type" not in page


@pytest.mark.parametrize(("act", "gone"), [(Act.INSERT, "before"), (Act.DELETE, "after")])
def test_a_row_that_comes_or_goes_has_nothing_on_one_side(act: Act, gone: str) -> None:
    """Where there is no row, the page says that it is not there."""
    step = replace(make_step(act=act, fields=("title",)), **{gone: None})  # type: ignore[arg-type]  # by its name
    page = repair_html(make_view(step), mask_key=MASK_KEY)
    assert page.count("not there") == 1


def test_brakes_are_shown_with_what_releases_them() -> None:
    """One that can be released is part of the command; one that cannot takes the command away."""
    page = repair_html(make_view(make_step(), held=(HELD,)), mask_key=MASK_KEY)
    assert f"--approve {HASH[:12]} --allow rows=500</code>" in page
    stuck = repair_html(make_view(make_step(), held=(HELD, STUCK)), mask_key=MASK_KEY)
    assert "It was made for another pair." in stuck
    assert "--approve" not in stuck


def test_what_is_left_is_listed_with_its_reason() -> None:
    """Findings with one reason are counted together, with some of their keys."""
    left = (
        make_left(),
        make_left(key=KEY.format(98)),
        make_left(key=None, why=Why.BOTH_ALIKE, sentence="Alike.", rows=7),
    )
    page = repair_html(make_view(make_step(), left=left), mask_key=MASK_KEY)
    assert "2 rows</b>" in page
    assert "7 rows</b>" in page
    assert "Nothing tells which is right." in page
    assert KEY.format(98) in page


def test_an_outcome_names_what_moved_and_what_did_not_stay() -> None:
    """Counts, the steps that were not written, and the reason why a row is not as it was written."""
    page = repair_html(make_outcome(), mask_key=MASK_KEY)
    assert "Repaired in part" in page
    assert "moved meanwhile, not written" in page
    assert "A trigger writes <code>title</code>." in page
    assert "twinstore repair undo 20260304T050607000Z-aaaa" in page


def test_what_was_taken_back_since_is_counted() -> None:
    """Where nothing was, the page does not speak of it."""
    view = make_outcome()
    assert view.verified is not None
    told = "keys that were taken back</dt><dd>3</dd>"
    page = repair_html(replace(view, verified=replace(view.verified, undone=3)), mask_key=MASK_KEY)
    assert (told in page, "taken back" in repair_html(view, mask_key=MASK_KEY)) == (True, False)


def test_whose_records_were_asked_for_is_masked() -> None:
    """An id of a user is personal, wherever it stands; the other filters are shown."""
    header = make_header(filters={"user": ("ada-1815",), "field": ("title",)})
    view = make_view(make_step())
    view = replace(view, plan=replace(view.plan, header=header))
    told = [repair_html(view, mask_key=MASK_KEY), json.dumps(plan_document(view, mask_key=MASK_KEY))]
    assert [("ada-1815" in one, "8 characters, hash " in one, "title" in one) for one in told] == [
        (False, True, True)
    ] * 2
    assert "user ada-1815" in repair_html(replace(view, discretion=Reader(masked=False)), mask_key=MASK_KEY)


def test_released_brakes_are_on_the_record() -> None:
    """Who released which brake stands on the page."""
    view = make_outcome()
    repair = replace(view.repair, overrides=(Override(brake="rows", value=500, by="ada"),), approved_by="ada")
    page = repair_html(replace(view, repair=repair), mask_key=MASK_KEY)
    assert "was released up to 500 by <bdi>ada</bdi>" in page


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202eevil", "</style>", "{{ 7 * 7 }}"])
def test_texts_of_a_plan_are_inert(text: str) -> None:
    """Keys, sentences and values cannot act: they are escaped and made visible."""
    step = make_step(key=text, reason=text, after={**(make_step().after or {}), "title": text})
    view = make_view(step, left=(make_left(key=text, sentence=text),), discretion=Reader(masked=False))
    page = repair_html(view, mask_key=MASK_KEY)
    body = page[page.index("<main") :]
    assert "<script>" not in body
    assert "</style>" not in body
    assert "\u202e" not in body


def test_a_page_sends_nothing_anywhere() -> None:
    """Its policy allows its own style and script only, and no address of another host is in it."""
    page = html.unescape(repair_html(make_outcome(), mask_key=MASK_KEY))
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"https?:", page)


def test_a_large_plan_stays_small() -> None:
    """Steps of one kind are listed up to a limit, and the rest is counted."""
    view = make_view(*(make_step(number) for number in range(1, 2001)))
    page = repair_html(view, mask_key=MASK_KEY)
    assert len(page) < 400_000
    assert "2,000 steps, 25 of them shown" in page


def test_nothing_to_repair_is_said() -> None:
    """An empty plan has no command."""
    page = repair_html(make_view(), mask_key=MASK_KEY)
    assert "There is nothing to repair." in page
    assert "repair apply" not in page


def test_every_ending_has_a_page() -> None:
    """Whatever became of a repair, its page names it."""
    view = make_outcome()
    for ended in Ended:
        assert "<h1" in repair_html(replace(view, repair=replace(view.repair, ended=ended)), mask_key=MASK_KEY)


def test_a_step_that_was_written_is_not_drawn_as_a_failure() -> None:
    """What became of each step has the colour of its own status."""
    page = repair_html(make_outcome(), mask_key=MASK_KEY)
    assert '<b class="s-passed">written</b>' in page
    assert '<b class="s-warned">moved meanwhile, not written</b>' in page


def test_what_changed_since_is_named_for_people_and_machines() -> None:
    """By its keys, in the terminal, on the page and as JSON; nothing of it is to be carried out again."""
    outcome = replace(make_outcome(), verified=Verified(agree=1, moved=(KEY.format(1),), undone=2))
    page = repair_html(outcome, mask_key=MASK_KEY)
    assert page.index("Changed since</h3>") < page.index(KEY.format(1)) < page.index("What became of it")
    told = plan_document(outcome, mask_key=MASK_KEY)
    assert (told["changed_since"], told["differ_as_planned"], told["taken_back"]) == ([KEY.format(1)], 0, 2)
    assert told["command"] is None


@pytest.mark.parametrize(
    ("left", "filters", "said"),
    [
        (0, {}, "There is nothing to repair."),
        (2, {}, "This plan repairs nothing; left to people: 2 rows."),
        (0, {"rename_keys": ("yes",)}, "There is nothing to repair."),
        (2, {"field": ("title",), "user": ("ada",)}, "Nothing that was asked for is to be repaired."),
    ],
)
def test_a_plan_without_steps_does_not_say_that_all_is_well(
    left: int, filters: dict[str, tuple[str, ...]], said: str
) -> None:
    """Unless it is: what was left, or not asked for, may differ; whose rows were asked for is masked."""
    view = make_view(left=tuple(make_left(key=KEY.format(number)) for number in range(left)))
    view = replace(view, plan=replace(view.plan, header=make_header(filters=filters)))
    page = repair_html(view, mask_key=MASK_KEY)
    assert said in page
    assert ('class="quiet good"' in page.partition('id="left"')[0]) is (left == 0)
    assert ("field title; user" in page, "user ada" in page) == ("field" in filters, False)
