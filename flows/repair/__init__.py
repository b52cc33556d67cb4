"""Repair: from what a check found to a plan, from an approved plan to rows that are as planned, and back again.

Plain functions without Prefect. What is decided lies in `storage.repair`, what holds a plan back in `contracts.repair`.
"""
