"""`twinstore dataset`: add a table to what is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError
from contracts.found_files import use_folder
from contracts.registry import known_datasets
from contracts.vocabulary import StoreName
from flows.commands.common import out
from flows.settings import read_settings
from flows.wiring import Stores, find_stores

if TYPE_CHECKING:
    from flows.new_dataset.plan import Plan
    from storage.table_shape import TableShape

FOLDER = Path("datasets")
PARTS = ("contracts", "expectations")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")  # functions for REST are named after it, too

Place = tuple[str, str]


def new_command(
    table: str, *, name: str | None, secondary: str | None, folder: Path | None, without: Sequence[str]
) -> None:
    """Write contract and suite of a table as a starting point, and say what to do next."""
    from flows.new_dataset.plan import plan_dataset
    from flows.new_dataset.text import contract_file

    settings = read_settings()
    target = folder or settings.datasets or FOLDER
    if (target / PARTS[0]).is_dir():
        use_folder(target)
    stores = find_stores(settings)
    places = _places(stores, table, secondary)
    called = name or _snake(places[StoreName.SUPABASE][1])
    files = {part: target / part / f"{called}.py" for part in PARTS}
    _require_new(called, files)
    plan = plan_dataset(called, _shapes(stores, places), without=without)
    texts = {"contracts": contract_file(plan), "expectations": _suite(stores, places, plan)}
    for part, file in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts[part], encoding="utf-8")
    _prove(called, target)
    _tell(plan, list(files.values()), target, told=settings.datasets)


def _places(stores: Stores, table: str, secondary: str | None) -> dict[StoreName, Place]:
    """Return schema and table per store; the primary's schema is the one that its URL names."""
    ours = stores.urls[StoreName.PRISMA].schema
    schema, _, name = table.rpartition(".")
    if schema not in {"", ours}:
        raise ConfigurationError(
            f"Tables of the primary are looked for in the schema {ours}, not in {schema}.",
            f"Name the schema in DATABASE_URL: ?schema={schema}.",
        )
    theirs, _, other = (secondary or _snake(name)).rpartition(".")
    return {StoreName.PRISMA: (ours, name), StoreName.SUPABASE: (theirs or "public", other)}


def _snake(name: str) -> str:
    from storage.parity.causes.bodies import snake_case

    return snake_case(name).lower()


def _require_new(called: str, files: Mapping[str, Path]) -> None:
    if not _NAME.fullmatch(called):
        raise ConfigurationError(
            f"A dataset cannot be called {called!r}.", "Give --name: at most 40 small letters, digits and underscores."
        )
    existing = [str(file) for file in files.values() if file.exists()]
    if existing or called in known_datasets():
        what = f"The file {existing[0]} is there already." if existing else f"There is a dataset {called} already."
        raise ConfigurationError(what, "Give another --name; what was written by hand is never overwritten.")


def _shapes(stores: Stores, places: Mapping[StoreName, Place]) -> dict[StoreName, TableShape]:
    """Read both tables; what cannot be looked at by SQL is taken to be as the primary's, in snake_case."""
    from storage.table_shape import read_shape

    primary = read_shape(stores.sql(StoreName.PRISMA).dsn, StoreName.PRISMA, *places[StoreName.PRISMA])
    if StoreName.SUPABASE in stores.urls:
        secondary = read_shape(stores.sql(StoreName.SUPABASE).dsn, StoreName.SUPABASE, *places[StoreName.SUPABASE])
    else:
        schema, table = places[StoreName.SUPABASE]
        columns = tuple(replace(column, name=_snake(column.name)) for column in primary.columns)
        key = tuple(map(_snake, primary.key))
        secondary = replace(primary, schema=schema, table=table, columns=columns, key=key, checks=())
    return {StoreName.PRISMA: primary, StoreName.SUPABASE: secondary}


def _suite(stores: Stores, places: Mapping[StoreName, Place], plan: Plan) -> str:
    """Return the text of a suite file that passes today, with some room."""
    from expectations.starting import starting_file
    from storage.table_shape import measure

    dataset = replace(plan.dataset, tables=places)
    found = measure(stores.sql(StoreName.PRISMA).dsn, StoreName.PRISMA, dataset)
    required = {argument for rule in plan.rules if rule.function == "required" for argument in rule.arguments}
    shares = {column: share for column, share in found.null_shares.items() if column not in required}
    return starting_file(dataset.name, null_shares=shares, newest_age_days=found.newest_age_days)


def _prove(called: str, target: Path) -> None:
    """Load both files as a check will.

    Raises:
        ConfigurationError: One of them cannot be used.
    """
    from expectations.registry import suite_for

    use_folder(target)
    suite_for(called)


def _tell(plan: Plan, files: list[Path], target: Path, *, told: Path | None) -> None:
    console = out()
    for file in files:
        console.print(f"written: {file}", soft_wrap=True)
    for note in plan.notes:
        console.print(f"to know: {note}", soft_wrap=True)
    if told is None or told.resolve() != target.resolve():
        console.print(f"next:    set TWINSTORE_DATASETS={target.resolve()}", soft_wrap=True)
    console.print("next:    say who may see which column; what is not declared is personal", soft_wrap=True)
    console.print(f"next:    twinstore check --dataset {plan.dataset.name}", soft_wrap=True)
