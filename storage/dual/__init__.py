"""The dual repository: planning records in two stores, written in one order and read from whichever store answers."""

from __future__ import annotations

from storage.dual.repository import DualRepository

__all__ = ["DualRepository"]
