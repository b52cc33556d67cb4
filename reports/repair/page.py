"""A plan of repair, and what became of it, as one HTML file that needs nothing else."""

from __future__ import annotations

from reports.page import render
from reports.repair import words
from reports.repair.views import PlanView, left_views, plan_view
from reports.text import KEY_MAX, one_line


def repair_html(view: PlanView, *, mask_key: bytes) -> str:
    """Render a plan as one HTML page; the page is the same for the same plan, outcome and key.

    Args:
        view: The plan with all that is known of it.
        mask_key: Secret key of the hashes that stand for masked values.
    """
    header, asked = view.plan.header, view.asked_for(mask_key).items()
    return render(
        "repair.html.j2",
        view=view,
        header=header,
        repair=view.repair,
        status=words.STATUSES[view.ended],
        ending=words.ending(view.repair),
        mode=words.MODES[header.mode],
        filters=[f"{name} {', '.join(one_line(value, KEY_MAX) for value in found)}" for name, found in asked],
        groups=plan_view(view, mask_key),
        left=left_views(view.plan.left),
        outcomes=[(words.OUTCOMES[one], words.OUTCOME_STATUSES[one], number) for one, number in view.outcomes],
        open_steps=[(step, words.OUTCOMES[done.outcome]) for step, done in view.open_steps],
        winners=words.WINNERS,
        whys=words.WHYS,
    )
