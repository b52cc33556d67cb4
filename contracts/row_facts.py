"""What the columns of a dataset mean for one another: the facts from which a difference is explained.

A dataset without facts is compared all the same; its differences are then explained by their values alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """Which columns play which part in a row, and what the secondary's constraints hold.

    Attributes:
        type: Column that says what kind of record it is.
        title: Column with a person's name for it.
        status: Column whose values are all in one vocabulary.
        version: Column that counts saves.
        body: JSON column that holds the whole record.
        envelope: Keys of the body that repeat columns; a writer that stores only what is left strips these.
        in_body: Per column, the path inside the body that repeats it.
        vocabularies: Per column, the values that there are, aliases included.
        unwritten: Per column, the default that stays for ever when nobody writes the column. A default that rows
            also hold in normal life, such as a first status or version, proves nothing and is not named here.
        required: Columns that are NULL in no row of the secondary.
        not_blank: Text columns that hold more than white space.
        positive: Integer columns that are 1 or more.
        owner: Column that says whose record it is.
        nobody: Per column, the words that an older writer left where there is no value.
        instants: Per column of instants, the path, its JSON column first, that repeats it in milliseconds since 1970.
        camel_case: JSON columns whose keys are written in camelCase.
    """

    type: str | None = None
    title: str | None = None
    status: str | None = None
    version: str | None = None
    body: str | None = None
    envelope: frozenset[str] = frozenset()
    in_body: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vocabularies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unwritten: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    not_blank: frozenset[str] = frozenset()
    positive: frozenset[str] = frozenset()
    owner: str | None = None
    nobody: Mapping[str, frozenset[str]] = field(default_factory=dict)
    instants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    camel_case: frozenset[str] = frozenset()
