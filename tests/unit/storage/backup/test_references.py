"""The order in which tables that refer to each other are written."""

from __future__ import annotations

from storage.backup.references import parents_first

A, B, C, ELSEWHERE = (("public", name) for name in ("a", "b", "c", "elsewhere"))


def test_parents_come_first() -> None:
    """However the tables are given; a table that refers to itself, and one that is not written, change nothing."""
    assert parents_first({C: set(), B: {B, C}, A: {B, ELSEWHERE}}) == (A, B, C)


def test_a_ring_is_written_as_it_is_given() -> None:
    """No order would do."""
    assert parents_first({B: {A}, A: {B}}) == (B, A)
