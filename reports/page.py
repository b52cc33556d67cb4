"""One self-contained page: assets inlined, allowed by their hashes, nothing else allowed at all."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from contracts.vocabulary import CheckStatus, DifferenceKind, Severity, StoreName, Verdict
from reports import budget, text, words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render(template: str, **values: object) -> str:
    """Return the page that a template makes of the values."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    css, script = _asset("report.css"), _asset("report.js")
    environment.globals.update(
        css=Markup(css),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=_policy(css, script),
        words=words,
        Verdict=Verdict,
        CheckStatus=CheckStatus,
        DifferenceKind=DifferenceKind,
        Severity=Severity,
        StoreName=StoreName,
        reasons_open=budget.REASONS_OPEN,
        clusters_open=budget.CLUSTERS_OPEN,
    )
    environment.filters.update(_filters())
    return environment


def _filters() -> dict[str, Any]:
    return {
        "shown": text.cut,
        "line": text.one_line,
        "num": text.number,
        "moment": text.moment,
        "duration": text.duration,
        "size": text.size,
        "key": _key,
        "prose": _prose,
        "count": text.count,
        "more": text.more,
    }


def _key(key: str) -> str:
    return text.one_line(key, text.KEY_MAX)


def _prose(sentence: str) -> Markup:
    """Return a sentence with the names in it, such as `title`, set as code; all else is escaped."""
    from markupsafe import Markup, escape

    parts = text.NAME.split(text.cut(sentence))
    drawn = (f"<code>{part}</code>" if i % 2 else str(escape(part)) for i, part in enumerate(parts))
    return Markup("".join(drawn))  # noqa: S704 - escaped above; names hold nothing that HTML reads


@cache
def _asset(name: str) -> str:
    return files("reports").joinpath("assets", name).read_text(encoding="utf-8")


def _policy(css: str, script: str) -> str:
    """Return the content security policy: our style, our script, icons from the file itself, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
