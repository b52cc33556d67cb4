"""The policy file of a gate, YAML or TOML: read strictly, with the line of every word that can decide something."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from contracts.errors import ConfigurationError
from contracts.gate import SourceLine
from contracts.policy import Policy, PolicyPlace

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from yaml import Node

MAX_BYTES = 1_000_000
_TODO = "docs/gate.md lists what a policy may say."

Lines = Mapping[PolicyPlace, int]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy and where it comes from.

    Attributes:
        policy: The policy.
        path: The file; None for the policy that lets nothing through.
        lines: Line of every key and every entry of a list, as far as known.
    """

    policy: Policy
    path: Path | None = None
    lines: Lines = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The file as the user named it; None for none."""
        return None if self.path is None else str(self.path)

    def line_of(self, place: PolicyPlace, base: Path) -> SourceLine | None:
        """Return where something stands in the file, as a path below `base`; None where nothing can be pointed at."""
        if self.path is None or not place:
            return None
        try:
            path = self.path.resolve().relative_to(base.resolve()).as_posix()
        except ValueError:
            return None
        return SourceLine(path=path, line=_line(self.lines, place))


def read_policy(path: Path | None) -> PolicyFile:
    """Read a policy file; without one nothing is let through.

    Args:
        path: The file, named `*.yaml`, `*.yml` or `*.toml`.

    Raises:
        ConfigurationError: It cannot be read, or says something that is not understood; the place is named.
    """
    if path is None:
        return PolicyFile(policy=Policy(version=1))
    policy, lines = read_strictly(path, Policy, _TODO)
    return PolicyFile(policy=policy, path=path, lines=lines)


def read_strictly(path: Path, model: type[M], todo: str) -> tuple[M, Lines]:
    """Read a file of YAML or TOML as a model, with the line of everything that it says.

    Args:
        path: The file, named `*.yaml`, `*.yml` or `*.toml`.
        model: What it may say.
        todo: Where a user reads what it may say.

    Raises:
        ConfigurationError: It cannot be read, or says something that is not understood; the place is named.
    """
    said, lines = _parse(path, _text(path), todo)
    try:
        return model.model_validate_json(json.dumps(said, default=_as_text)), lines
    except ValidationError as exc:
        raise _refused(path, exc.errors(include_input=False, include_url=False), lines, todo) from None
    except (TypeError, ValueError):
        raise ConfigurationError(f"{path} holds something that is no text, number, switch or date.", todo) from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigurationError(f"{path} is too large for a policy.", "Name the policy file.")
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError(f"The policy {path} cannot be read: {exc.strerror}.", "Name the policy file.") from exc
    except UnicodeDecodeError:
        raise ConfigurationError(f"The policy {path} is no UTF-8 text.", "Save it as UTF-8.") from None


def _parse(path: Path, text: str, todo: str) -> tuple[Any, Lines]:
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(text), {}
        except tomllib.TOMLDecodeError as exc:
            raise ConfigurationError(f"{path} is no TOML: {_clause(str(exc))}.", "Correct it there.") from None
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
            raise ConfigurationError(f"{path} is no policy.", todo) from None
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _parse_yaml(path, text, todo)
    raise ConfigurationError(f"{path} is neither YAML nor TOML.", "Name the file *.yaml, *.yml or *.toml.")


def _parse_yaml(path: Path, text: str, todo: str) -> tuple[Any, Lines]:
    """Read YAML whose meaning is plain: without anchors, merged or repeated keys, or keys that are no text."""
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(f"{path} is empty.", todo)
        lines = dict(_places(path, node, (), set()))
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as exc:
        line = f", line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise ConfigurationError(f"{path}{line}: this is no YAML, {exc.problem}.", "Correct it there.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError(f"{path} is no YAML.", "Correct it.") from None
    finally:
        loader.dispose()


def _places(path: Path, node: Node, place: PolicyPlace, seen: set[int]) -> Iterator[tuple[PolicyPlace, int]]:
    """Yield the line of everything below a node."""
    import yaml

    if id(node) in seen:
        raise _unclear(path, node, "an anchor is used again")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _places(path, value, (*place, number), seen)
    elif isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise _unclear(path, key, "a key is no text")
            if key.value in known:
                raise _unclear(path, key, f"{key.value} is said twice")
            known.add(key.value)
            yield (*place, key.value), key.start_mark.line + 1
            yield from _places(path, value, (*place, key.value), seen)


def _unclear(path: Path, node: Node, why: str) -> ConfigurationError:
    return ConfigurationError(f"{path}, line {node.start_mark.line + 1}: {why}.", "Say it once, in plain words.")


def _refused(path: Path, errors: list[ErrorDetails], lines: Lines, todo: str) -> ConfigurationError:
    """Return the error that names the first thing that is not understood, its place, and how many more there are."""
    first = errors[0]
    place = tuple(part for part in first["loc"] if part != "[key]")
    line = _line(lines, place)
    where = f"{path}, line {line}: " if line else f"{path}: "
    rest = len(errors) - 1
    more = f" {rest} more {'thing is' if rest == 1 else 'things are'} wrong." if rest else ""
    return ConfigurationError(f"{where}{_fault(first, ' / '.join(map(str, place)))}.{more}", todo)


def _fault(error: ErrorDetails, place: str) -> str:
    match error["type"]:
        case "extra_forbidden":
            return f"{place} is no key of a policy"
        case "missing":
            return f"{place} is missing"
        case _:
            said = _clause(error["msg"].removeprefix("Value error, "))
            return f"{place}: {said}" if place else said


def _clause(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _line(lines: Lines, place: PolicyPlace) -> int | None:
    """Return the line of a place, or of the nearest around it that stands in the file."""
    around = (place[:length] for length in range(len(place), 0, -1))
    return next((lines[known] for known in around if known in lines), None)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError
