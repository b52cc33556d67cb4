"""The suite of readings: what must hold for the table as a whole, on both stores alike."""

from contracts.registry import contract_for
from expectations.starting import StartingThresholds, starting_suite

SUITE = starting_suite(contract_for("readings").dataset, StartingThresholds(null_shares={"value": 0.5}, fresh_days=7))
