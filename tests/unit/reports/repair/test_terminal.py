"""A plan of repair in a terminal, and for machines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from rich.console import Console

from contracts.repair import Brake, Braked
from reports.repair import PlanView, plan_document, print_plan, print_step, print_verified
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
        return json.dumps(plan_document(view))

    text = document(make_view(make_step(), held=(HELD,), discretion=Reader(masked=False)))
    assert "old title" not in text
    assert json.loads(text)["command"].endswith(f"--approve {HASH[:12]} --allow deletes=20")
    assert json.loads(document(make_outcome()))["not_converged"][0]["why"] == "A trigger writes `title`."
