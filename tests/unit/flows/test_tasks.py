"""How a stage's end is told to people who look at its task."""

from __future__ import annotations

import pytest

from contracts.errors import Unavailable
from contracts.verdicts import RowTotals
from contracts.vocabulary import CheckStatus, StoreName, Verdict
from flows.outcomes import Comparison, Look
from flows.tasks import SKIPPED, Account, account_of
from storage.parity.engine import Parity
from tests.support.factories import make_check, make_dataset, make_stores

DOWN = Unavailable("prisma cannot be reached.", "Start it.", store=StoreName.PRISMA)


@pytest.mark.parametrize(
    ("value", "account"),
    [
        (Look(store=StoreName.PRISMA, error=DOWN), Account(good=False, text="prisma cannot be reached.")),
        (Comparison(error=DOWN), Account(good=False, text="prisma cannot be reached.")),
        (
            Comparison(),
            Account(name=SKIPPED, text="There was nothing to compare: a store could not be read."),
        ),
        (
            Comparison(parity=Parity(rows=RowTotals(matched=12_345, differing=2, only_primary=1))),
            Account(text="12,345 rows are equal, 3 are not."),
        ),
        ((), Account(name=SKIPPED, text="There was nothing to judge: the store could not be read.")),
        (
            (make_check("a"), make_check("b", CheckStatus.FAILED), make_check("c")),
            Account(text="2 passed, 1 failed."),
        ),
        (
            (make_check("a"), make_check("b", CheckStatus.ERRORED)),
            Account(good=False, text="1 passed, 1 errored."),
        ),
        (
            (make_check("a", inherited=True),),
            Account(text="1 passed, as on the other store, which is equal."),
        ),
        (make_dataset(verdict=Verdict.FAILED), Account(text="The verdict is failed.")),
        (None, Account(text="Done.")),
    ],
    ids=str,
)
def test_a_stage_ends_good_unless_it_could_not_do_its_work(value: object, account: Account) -> None:
    """Finding something is good work; only an error makes a task fail, and what was not begun is skipped."""
    assert account_of(value) == account


def test_a_look_names_table_and_server() -> None:
    """A look that succeeded says where it looked."""
    primary, _ = make_stores()
    account = account_of(Look(store=StoreName.PRISMA, facts=primary))
    assert account.good
    assert primary.table in account.text
    assert primary.server_version in account.text
