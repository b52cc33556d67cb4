"""The fault catalogue against the contract: each planted fault breaks the rules that it says, where it says."""

from __future__ import annotations

from collections import defaultdict

import psycopg
from psycopg import sql

from contracts.planning import PLANNING
from contracts.planning_rules import PLANNING_RULES
from contracts.registry import contract_for
from contracts.vocabulary import StoreName
from expectations.planning import SUITE
from storage.local import seed
from storage.local.faults.catalogue import DECOYS, FAULTS
from storage.local.faults.inject import inject
from tests.support.planning_rows import batch
from tests.support.servers import SEEDED_AT, Pair

ROWS = 3_000
RENAMING = "planning.id_replicable"  # faults that break it give the row another id


def broken_rules(store: StoreName, dsn: str) -> dict[str, set[str]]:
    """Return, per id of a row, the rules that it breaks; all rows are there."""
    names = [column.name for column in PLANNING.columns]
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(sql.SQL("SELECT {} FROM public.planning").format(texts)).fetchall()
    rows = batch([dict(zip(names, values, strict=True)) for values in found])
    keys = rows.column("id").to_pylist()
    broken: dict[str, set[str]] = {key: set() for key in keys}
    for evaluator in contract_for("planning").evaluators(store):
        for rule, positions in evaluator.run(rows.select(list(evaluator.columns))).items():
            for position in positions:
                broken[keys[position]].add(rule)
    return broken


def test_each_fault_breaks_the_rules_that_it_says(pair: Pair) -> None:
    """All faults and decoys planted at once break, row by row and store by store, what the catalogue says of them."""
    seed.load(pair.primary, pair.secondary, ROWS, now=SEEDED_AT)
    faults = [fault for fault in (*FAULTS, *DECOYS) if not fault.exclusive]
    planted = inject(pair.primary_superuser, pair.secondary_superuser, faults)
    for store, dsn in ((StoreName.PRISMA, pair.primary_superuser), (StoreName.SUPABASE, pair.secondary_superuser)):
        broken = broken_rules(store, dsn)
        victims = {key for injected in planted for key in injected.keys}
        wrong: dict[str, tuple[set[str], set[str]]] = {}
        renamed = 0
        for injected in planted:
            expected = {rule for rule, where in injected.fault.expects.checks if where is store}
            if RENAMING in expected:
                renamed += len(injected.found)
                continue
            found = set().union(*(broken[key] for key in injected.keys if key in broken))
            if found != expected:
                wrong[injected.fault.id] = (expected, found)
        assert wrong == {}
        rest = [rules for key, rules in broken.items() if key not in victims and rules]
        assert rest == [{RENAMING}] * renamed


def test_every_rule_names_faults_that_break_it() -> None:
    """Each rule names at least one fault of the catalogue, and each of these expects the rule to fail."""
    breaking: dict[str, set[str]] = defaultdict(set)
    for fault in FAULTS:
        for check, _ in fault.expects.checks:
            breaking[check].add(fault.id)
    named = {rule.id: rule.broken_by for rule in PLANNING_RULES}
    named |= {expectation.id: expectation.broken_by for expectation in SUITE.checks}
    for known, faults in named.items():
        assert faults
        assert set(faults) <= breaking[known]
    assert breaking.keys() == named.keys()
