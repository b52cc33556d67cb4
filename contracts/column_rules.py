"""Rules that most tables need, each as one line of a contract: present, known, within limits, in order.

A rule reads the texts that a store wrote. NULL breaks no rule but `required`: whether a value must be there and what it
must be like are two questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import ConfigurationError
from contracts.instants import unix_milliseconds_of
from contracts.judge import Contract, Evaluator, frame_evaluators
from contracts.rules import Rule
from contracts.vocabulary import Severity, StoreName

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pandera

NAMES_SHOWN = 6  # words of a vocabulary that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """A rule of any dataset: what `Rule` says, and how a frame of texts is judged.

    Attributes:
        name: What the id ends with, after the name of the dataset.
        sentence: What must hold, and what is wrong when it does not.
        columns: Canonical names of the columns that it reads.
        holds: Given these columns of some rows, says of each row whether the rule holds.
        severity: How bad a violation is.
    """

    name: str
    sentence: str
    columns: tuple[str, ...]
    holds: Callable[[pd.DataFrame], pd.Series[bool]]
    severity: Severity = Severity.CRITICAL


def columns_contract(dataset: Dataset, *rules: ColumnRule) -> Contract:
    """Return the contract of a dataset that these rules make; both stores have the same ones.

    Raises:
        ConfigurationError: There is no rule, two have one name, or one reads a column that the dataset does not have.
    """
    names = [rule.name for rule in rules]
    known = {column.name for column in dataset.columns}
    unknown = sorted({name for rule in rules for name in rule.columns} - known)
    if not rules or len(set(names)) < len(names) or unknown:
        trouble = f"reads columns that it does not have: {', '.join(unknown)}" if unknown else "names a rule twice"
        trouble = trouble if rules else "has no rule, so that nothing would be judged"
        raise ConfigurationError(f"The contract of {dataset.name} {trouble}.", "Correct its rules.")
    told = tuple(
        Rule(id=f"{dataset.name}.{rule.name}", severity=rule.severity, sentence=rule.sentence, columns=rule.columns)
        for rule in rules
    )

    def evaluators(store: StoreName) -> tuple[Evaluator, ...]:
        return frame_evaluators(_frame(dataset, rules, store), told)

    return Contract(dataset=dataset, rules=told, evaluators=evaluators)


def required(*columns: str) -> ColumnRule:
    """Require that these columns are never NULL."""
    verb = "is" if len(columns) == 1 else "are"
    return ColumnRule(
        name="required_present",
        sentence=f"{_listed(columns)} {verb} there; a reader of the row fails on NULL.",
        columns=columns,
        holds=lambda frame: frame.notna().all(axis="columns"),
    )


def one_of(column: str, *words: str) -> ColumnRule:
    """Require that a column holds one of these words."""
    shown = ", ".join(words[:NAMES_SHOWN]) + (
        f" or {len(words) - NAMES_SHOWN} more" if len(words) > NAMES_SHOWN else ""
    )
    return ColumnRule(
        name=f"{column}_known",
        sentence=f"`{column}` is one of {shown}; any other word is in no list of its readers.",
        columns=(column,),
        holds=_each(column, frozenset(words).__contains__),
    )


def longest(column: str, length: int) -> ColumnRule:
    """Require that a text has at most so many characters."""
    return ColumnRule(
        name=f"{column}_length",
        sentence=f"`{column}` has at most {length} characters; a longer one is refused or cut by a store.",
        columns=(column,),
        holds=_each(column, lambda text: len(text) <= length),
    )


def at_least(column: str, limit: str) -> ColumnRule:
    """Require that a number is not below a limit, which is given as text so that it stays exact. NaN is no number."""
    return _bounded(column, "at_least", f"`{column}` is {limit} or more", lambda number: number >= Decimal(limit))


def at_most(column: str, limit: str) -> ColumnRule:
    """Require that a number is not above a limit, which is given as text so that it stays exact. NaN is no number."""
    return _bounded(column, "at_most", f"`{column}` is {limit} or less", lambda number: number <= Decimal(limit))


def more_than(column: str, limit: str) -> ColumnRule:
    """Require that a number is above a limit, which is given as text so that it stays exact. NaN is no number."""
    return _bounded(column, "more_than", f"`{column}` is more than {limit}", lambda number: number > Decimal(limit))


def less_than(column: str, limit: str) -> ColumnRule:
    """Require that a number is below a limit, which is given as text so that it stays exact. NaN is no number."""
    return _bounded(column, "less_than", f"`{column}` is less than {limit}", lambda number: number < Decimal(limit))


def not_after(first: str, second: str) -> ColumnRule:
    """Require that an instant is not after another one of its row, to the millisecond."""

    def holds(frame: pd.DataFrame) -> pd.Series[bool]:
        import pandas as pd
        import pyarrow as pa

        known = frame.dropna()
        early, late = (unix_milliseconds_of(pa.array(known[name].array)) for name in (first, second))
        return pd.Series(early <= late, index=known.index).reindex(frame.index, fill_value=True)

    return ColumnRule(
        name=f"{first}_not_after_{second}",
        sentence=f"`{first}` is not after `{second}`, to the millisecond; else ages and lists by time are wrong.",
        columns=(first, second),
        holds=holds,
    )


def _bounded(column: str, name: str, what: str, fits: Callable[[Decimal], bool]) -> ColumnRule:
    def holds(text: str) -> bool:
        number = Decimal(text)
        return not number.is_nan() and fits(number)

    sentence = f"{what}; readers count on it, and a store may refuse any other."
    return ColumnRule(name=f"{column}_{name}", sentence=sentence, columns=(column,), holds=_each(column, holds))


def _each(column: str, holds: Callable[[str], bool]) -> Callable[[pd.DataFrame], pd.Series[bool]]:
    def judge(frame: pd.DataFrame) -> pd.Series[bool]:
        import pandas as pd

        texts = frame[column]
        judged = [null or holds(text) for text, null in zip(texts, texts.isna(), strict=True)]
        return pd.Series(judged, index=texts.index, dtype=bool)

    return judge


def _frame(dataset: Dataset, rules: tuple[ColumnRule, ...], store: StoreName) -> pandera.DataFrameSchema:
    import pandas as pd
    import pandera.pandas as pandera
    import pyarrow as pa

    text: Any = pd.ArrowDtype(pa.string())
    return pandera.DataFrameSchema(
        {column.name: pandera.Column(text, nullable=True) for column in dataset.columns},
        checks=[pandera.Check(rule.holds, name=f"{dataset.name}.{rule.name}", ignore_na=False) for rule in rules],
        name=f"{dataset.name}@{store}",
        strict=True,
    )


def _listed(columns: tuple[str, ...]) -> str:
    names = [f"`{name}`" for name in columns]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
