"""Renderers of a plan of repair and of what became of it; they know the values of contracts and nothing else."""

from reports.repair.document import plan_document, repair_document
from reports.repair.page import repair_html
from reports.repair.terminal import print_left, print_plan, print_step, print_verified
from reports.repair.views import PlanView, plan_view

__all__ = [
    "PlanView",
    "plan_document",
    "plan_view",
    "print_left",
    "print_plan",
    "print_step",
    "print_verified",
    "repair_document",
    "repair_html",
]
