"""The rules of a contract: each with a stable id, a severity and a sentence that says what breaks without it."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.planning import TITLE_MAX
from contracts.vocabulary import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One statement about every row of a dataset.

    Attributes:
        id: Stable id, `<dataset>.<name>`.
        severity: How bad a violation is.
        sentence: What must hold, and what breaks when it does not.
        columns: The columns that it reads, beside the key that names the row.
        broken_by: Ids of the faults of the catalogue that violate it.
    """

    id: str
    severity: Severity
    sentence: str
    columns: tuple[str, ...]
    broken_by: tuple[str, ...] = ()


def _critical(name: str, sentence: str, *columns: str) -> Rule:
    return Rule(id=f"planning.{name}", severity=Severity.CRITICAL, sentence=sentence, columns=columns)


def _warning(name: str, sentence: str, *columns: str) -> Rule:
    return Rule(id=f"planning.{name}", severity=Severity.WARNING, sentence=sentence, columns=columns)


def _info(name: str, sentence: str, *columns: str) -> Rule:
    return Rule(id=f"planning.{name}", severity=Severity.INFO, sentence=sentence, columns=columns)


REQUIRED = ("type", "title", "content", "status", "created_at", "updated_at")
"""The columns of a planning row that are never NULL; `version` has a rule of its own."""

PLANNING_RULES = (
    _critical(
        "id_replicable",
        "The id is a UUID in lower case with hyphens; supabase cannot hold another id, so the row stays on one side.",
        "id",
    ),
    _critical(
        "required_present",
        "Type, title, content, status and both times are there; a reader of the row fails on NULL.",
        *REQUIRED,
    ),
    _critical(
        "type_known",
        "The type is one of the five content types; a row of another type is shown by no page and refused by supabase.",
        "type",
    ),
    _critical(
        "status_known",
        "The status is in the vocabulary or an alias of it; any other is in no list and refused by supabase.",
        "status",
    ),
    _critical(
        "title_length",
        f"The title has 1 to {TITLE_MAX} characters; a longer or empty one is refused on the next save.",
        "title",
    ),
    _critical(
        "content_is_object",
        "The content is a JSON object; a body encoded twice is a string, in which no field can be found.",
        "content",
    ),
    _critical(
        "content_valid",
        "The content has the fields of its type, within their limits, and no others; else applications cannot read it.",
        "type",
        "content",
    ),
    _critical(
        "content_id_matches",
        "The id inside the content is the id of the row; else an edit of this record is saved to another one.",
        "content",
    ),
    _critical(
        "content_type_matches",
        "The type inside the content is the type of the row; else it is listed as one thing and opened as another.",
        "type",
        "content",
    ),
    _critical(
        "created_before_updated",
        "A row is not created after its last change, to the millisecond; else lists by age and age limits are wrong.",
        "created_at",
        "updated_at",
    ),
    _critical(
        "user_id_valid",
        "The owner is NULL (a guest) or a UUID in lower case; any other owner is lost on supabase.",
        "user_id",
    ),
    _critical(
        "version_positive",
        "The version is a whole number from 1; without it an application cannot tell which copy it edits.",
        "version",
    ),
    _warning(
        "title_not_blank",
        "The title is more than white space; a blank one cannot be clicked, and supabase may replace it by another.",
        "title",
    ),
    _warning(
        "metadata_valid",
        "The metadata are NULL or an object with the agreed keys; else owner and version shown to users are wrong.",
        "metadata",
    ),
    _warning(
        "project_id_valid",
        "The project is NULL or a UUID in lower case; any other project is lost on supabase.",
        "project_id",
    ),
    _warning(
        "storage_status_known",
        "The storage status is NULL, pending, saving, saved, failed or partial; any other is shown as no state at all.",
        "storage_status",
    ),
    _info(
        "status_canonical",
        "The status is written in its canonical spelling; an alias such as in-progress is understood here only.",
        "status",
    ),
)
