"""A plan of repair, and what became of it, as one HTML file that needs nothing else."""

from __future__ import annotations

from reports.budget import LISTED_PER_CLUSTER, first
from reports.page import render
from reports.repair import words
from reports.repair.views import PlanView, left_views, plan_view


def repair_html(view: PlanView, *, mask_key: bytes) -> str:
    """Render a plan as one HTML page; the page is the same for the same plan, outcome and key.

    Args:
        view: The plan with all that is known of it.
        mask_key: Secret key of the hashes that stand for masked values.
    """
    header = view.plan.header
    return render(
        "repair.html.j2",
        view=view,
        header=header,
        repair=view.repair,
        status=words.STATUSES[view.ended],
        ending=words.ending(view.repair),
        mode=words.MODES[header.mode],
        asked=view.asked_words(mask_key),
        groups=plan_view(view, mask_key),
        left=left_views(view.plan.left),
        moved=first(view.moved, LISTED_PER_CLUSTER),
        outcomes=[(words.OUTCOMES[one], words.OUTCOME_STATUSES[one], number) for one, number in view.outcomes],
        open_steps=[(step, words.OUTCOMES[done.outcome]) for step, done in view.open_steps],
        winners=words.WINNERS,
        whys=words.WHYS,
    )
