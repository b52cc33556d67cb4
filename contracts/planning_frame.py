"""The planning contract over columns: a Pandera frame with one check per rule, named by the id of the rule."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from contracts.instants import unix_milliseconds_of
from contracts.planning import PLANNING
from contracts.planning_rules import REQUIRED
from contracts.planning_words import STATUS_ALIASES, TITLE_MAX, ContentType, Status
from contracts.vocabulary import StoreName

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pandera

STORAGE_STATUSES = ("pending", "saving", "saved", "failed", "partial")
CANONICAL_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
POSITIVE = "^[1-9][0-9]*$"


def planning_frame(store: StoreName) -> pandera.DataFrameSchema:
    """Build the frame of a snapshot batch of one store: one nullable text column per column of the dataset.

    Rows are planning rows as read: text as the store writes it, times in UTC. NULL is left to the rules that speak of
    it. JSON bodies are judged by `contracts.planning_bodies`, not here.

    Args:
        store: The store whose rows are judged; it names the frame. Both stores have the same rules, since a row that
            one of them could not hold cannot be replicated.
    """
    import pandas as pd
    import pandera.pandas as pandera
    import pyarrow as pa

    text = pd.ArrowDtype(pa.string())
    checks = _column_checks()
    return pandera.DataFrameSchema(
        {c.name: pandera.Column(text, checks.get(c.name, []), nullable=True) for c in PLANNING.columns},
        checks=[
            pandera.Check(_required_present, name="planning.required_present", ignore_na=False),
            pandera.Check(_created_before_updated, name="planning.created_before_updated", ignore_na=False),
        ],
        name=f"planning@{store}",
        strict=True,
    )


def _column_checks() -> dict[str, list[pandera.Check]]:
    from pandera.pandas import Check

    aliases = list(STATUS_ALIASES)
    statuses = [*(str(s) for s in Status), *aliases]
    return {
        "id": [Check(_is_uuid, name="planning.id_replicable", ignore_na=False)],
        "type": [Check.isin([str(t) for t in ContentType], name="planning.type_known")],
        "title": [
            Check.str_length(1, TITLE_MAX, name="planning.title_length"),
            Check(_not_blank, name="planning.title_not_blank"),
        ],
        "status": [
            Check.isin(statuses, name="planning.status_known"),
            Check.notin(aliases, name="planning.status_canonical"),
        ],
        "user_id": [Check.str_matches(CANONICAL_UUID, name="planning.user_id_valid")],
        "project_id": [Check.str_matches(CANONICAL_UUID, name="planning.project_id_valid")],
        "version": [Check(_is_positive, name="planning.version_positive", ignore_na=False)],
        "storage_status": [Check.isin(STORAGE_STATUSES, name="planning.storage_status_known")],
    }


def _is_uuid(texts: pd.Series[str]) -> pd.Series[bool]:
    return texts.str.match(CANONICAL_UUID).fillna(value=False)


def _is_positive(texts: pd.Series[str]) -> pd.Series[bool]:
    return texts.str.match(POSITIVE).fillna(value=False)


def _not_blank(titles: pd.Series[str]) -> pd.Series[bool]:
    """Tell titles that are more than white space; what is empty or too long breaks `title_length` instead."""
    return ~(titles.str.isspace() & (titles.str.len() <= TITLE_MAX))


def _required_present(frame: pd.DataFrame) -> pd.Series[bool]:
    return reduce(and_, (frame[column].notna() for column in REQUIRED))


def _created_before_updated(frame: pd.DataFrame) -> pd.Series[bool]:
    """Compare both times to the millisecond, since one store holds no finer ones; rows without one of them pass."""
    import pandas as pd
    import pyarrow as pa

    known = frame[frame["created_at"].notna() & frame["updated_at"].notna()]
    created, updated = (unix_milliseconds_of(pa.array(known[name].array)) for name in ("created_at", "updated_at"))
    return pd.Series(created <= updated, index=known.index).reindex(frame.index, fill_value=True)
