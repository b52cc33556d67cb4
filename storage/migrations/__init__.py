"""Migrations of both stores: numbered SQL files, and the functions that apply, print, inspect and remove them."""

from storage.migrations.runner import migrate, state, uninstall
from storage.migrations.scripts import migrations, render
from storage.migrations.values import Applied, Migration, MigrationReport, MigrationState, Side, UninstallReport

__all__ = [
    "Applied",
    "Migration",
    "MigrationReport",
    "MigrationState",
    "Side",
    "UninstallReport",
    "migrate",
    "migrations",
    "render",
    "state",
    "uninstall",
]
