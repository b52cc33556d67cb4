"""The suite of notes."""

from contracts.registry import contract_for
from expectations.starting import StartingThresholds, starting_suite

SUITE = starting_suite(contract_for("notes").dataset, StartingThresholds())
