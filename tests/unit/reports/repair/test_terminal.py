"""A plan of repair in a terminal, and for machines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console

from contracts.repair import Brake, Braked, Done, Ended, Mended, Mode, Winner
from reports.repair import PlanView, plan_document, print_plan, print_step, print_verified, repair_html
from tests.support.factories import MASK_KEY
from tests.support.repair_views import HASH, Reader, make_left, make_outcome, make_step, make_view

HELD = Braked(brake=Brake.DELETES, what="It deletes 20 rows.", todo="`--allow deletes=20` takes it off.", number=20)


def printed(say: Callable[[Console], None]) -> str:
    """Return what is printed."""
    file = io.StringIO()
    say(Console(file=file, width=160, highlight=False, markup=False))
    return file.getvalue()


def test_a_plan_in_short_says_what_is_done_left_and_held() -> None:
    """Steps by kind, what is left by reason, each brake with what releases it."""
    view = make_view(make_step(), make_step(2), left=(make_left(),), held=(HELD,))
    text = printed(lambda console: print_plan(view, console, mask_key=MASK_KEY))
    assert "2 steps: 2 updates on supabase." in text
    assert "update on supabase: the source's row counts (letter case)" in text
    assert "no winner: Nothing tells which is right." in text
    assert "--allow deletes=20" in text


def test_a_step_is_explained_field_by_field() -> None:
    """Its reason, and each field before and after; personal values only for those who may see them."""
    view, step = make_view(make_step()), make_step()
    text = printed(lambda console: print_step(view, step, console, mask_key=MASK_KEY))
    assert "since prisma is the source." in text
    assert "old title" not in text
    open_view = make_view(make_step(), discretion=Reader(masked=False))
    shown = printed(lambda console: print_step(open_view, step, console, mask_key=MASK_KEY))
    assert "old title" in shown
    assert "new title" in shown


def test_a_control_character_cannot_act_on_the_terminal() -> None:
    """A value with an escape sequence is shown, not obeyed."""
    step = make_step(after={**(make_step().after or {}), "title": "\x1b[31mred"})
    view = make_view(step, discretion=Reader(masked=False))
    assert "\x1b" not in printed(lambda console: print_step(view, step, console, mask_key=MASK_KEY))


def test_an_outcome_is_told_in_a_few_lines() -> None:
    """What was written, what both stores say now, and what is not as planned."""
    text = printed(lambda console: print_verified(make_outcome(), console))
    assert "Repaired in part" in text
    assert "2 written, 1 moved meanwhile, not written" in text
    assert "1 key agrees, 1 key did not stay as written" in text
    assert "A trigger writes `title`." in text


def test_the_document_holds_no_value() -> None:
    """Machines get names, counts and sentences; the command names the hash and what must be released."""

    def document(view: PlanView) -> str:
        return json.dumps(plan_document(view, mask_key=MASK_KEY))

    text = document(make_view(make_step(), held=(HELD,), discretion=Reader(masked=False)))
    assert "old title" not in text
    assert json.loads(text)["command"].endswith(f"--approve {HASH[:12]} --allow deletes=20")
    assert json.loads(document(make_outcome()))["not_converged"][0]["why"] == "A trigger writes `title`."


def test_a_plan_of_many_kinds_is_cut_and_says_so() -> None:
    """Kinds of steps, reasons, fields and keys are listed up to a limit, and the rest is counted."""
    steps = [make_step(number, causes=(f"cause {number}",)) for number in range(1, 20)]
    left = tuple(make_left(sentence=f"Reason {number}.") for number in range(20))
    view = make_view(*steps, left=left, notes=("More is under way.",))
    text = printed(lambda console: print_plan(view, console, mask_key=MASK_KEY))
    assert "and 7 more kinds of steps" in text
    assert "and 8 more reasons" in text
    assert "More is under way." in text
    lost = replace(make_outcome(), done={n: Done(number=n, outcome=Mended.MOVED) for n in range(1, 20)})
    cut = replace(lost, plan=replace(lost.plan, steps=tuple(make_step(n) for n in range(1, 20))))
    assert "and 7 more keys on the page" in printed(lambda console: print_verified(cut, console))


def test_what_was_switched_off_is_told_before_it_is_approved() -> None:
    """In the terminal, on the page and for machines; it leaves nothing out of the plan."""
    view = make_view()
    filters = {"no_fix": ("text_case", "write_window"), "rename_keys": ("yes",)}
    view = replace(view, plan=replace(view.plan, header=replace(view.plan.header, filters=filters)))
    text = printed(lambda console: print_plan(view, console, mask_key=MASK_KEY))
    assert "Asked for: no fix of text_case, write_window; new keys" in text
    assert "There is nothing to repair." in text
    assert "no fix of text_case, write_window" in repair_html(view, mask_key=MASK_KEY)
    assert plan_document(view, mask_key=MASK_KEY)["filters"]["no_fix"] == ["text_case", "write_window"]


def test_an_undo_is_told_as_one() -> None:
    """It names what it takes back, rests on no run, and repairs nothing."""
    view = make_view(make_step(winner=Winner.UNDONE, causes=()))
    header = replace(view.plan.header, mode=Mode.UNDO, source=None, run_id=None, undoes="the-other-one")
    plan = replace(view.plan, header=header)
    undo = replace(view, plan=plan, repair=replace(view.repair, mode=Mode.UNDO, ended=Ended.REPAIRED))
    text = printed(lambda console: print_plan(undo, console, mask_key=MASK_KEY))
    assert "takes back the-other-one" in text
    assert "rests on" not in text
    assert "Took it back" in printed(lambda console: print_verified(undo, console))
    assert "the-other-one" in repair_html(undo, mask_key=MASK_KEY)


def test_a_row_with_many_fields_is_cut() -> None:
    """A body of many keys lists some of them; one that is no JSON any more is shown whole."""
    before = json.dumps({f"k{number}": 0 for number in range(60)})
    after = json.dumps({f"k{number}": 1 for number in range(60)})
    row = make_step().before or {}
    step = make_step(before={**row, "content": before}, after={**row, "content": after}, fields=("content",))
    view = make_view(step)
    assert "and 20 more fields" in printed(lambda console: print_step(view, step, console, mask_key=MASK_KEY))
    torn = replace(step, after={**row, "content": "{torn"}, causes=())
    assert "content " in printed(lambda console: print_step(view, torn, console, mask_key=MASK_KEY))
    nothing = replace(step, fields=())
    assert "before" not in printed(lambda console: print_step(view, nothing, console, mask_key=MASK_KEY))


def test_a_refusal_names_its_code_and_rule() -> None:
    """What the store refused, and by which constraint."""
    done = {1: Done(number=1, outcome=Mended.REJECTED, code="23514", rule="title_not_blank")}
    view = make_view(make_step(causes=("id_not_replicable",)), done=done)
    step = view.plan.steps[0]
    text = printed(lambda console: print_step(view, step, console, mask_key=MASK_KEY))
    assert "SQLSTATE 23514, title_not_blank" in text
    assert "key is no canonical UUID" in text
    assert "no step was taken" in printed(lambda console: print_verified(make_view(), console))
