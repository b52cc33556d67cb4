"""What the docs say exists: commands, options, settings, targets, files, links."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from contracts.vocabulary import Verdict
from flows.cli import app
from flows.settings import Settings, load_settings
from tests.support.postgrest import VARIABLES
from tests.support.settings_page import table, variables

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
ALL = "\n".join(TEXTS.values())
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
LIMIT_BYTES = 400_000


def commands(group: Any, name: str = "twinstore") -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it."""
    yield name, group
    for word, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{name} {word}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def options(command: Any) -> set[str]:
    """Return the long options of a command."""
    return {word for p in command.params if p.param_type_name == "option" for word in (*p.opts, *p.secondary_opts)}


def said(text: str) -> Iterator[str]:
    """Yield the command lines that a page names: in its blocks for shells, and in its code spans."""
    for language, block in FENCE.findall(text):
        if language in ("sh", "bash"):
            yield from block.replace("\\\n", " ").splitlines()
    yield from (span.replace("\n", " ") for span in SPAN.findall(FENCE.sub("", text)))


def lines(program: str) -> list[tuple[str, list[str]]]:
    """Return page and words of every command line of a program that a page names."""
    found = []
    for page, text in TEXTS.items():
        for line in said(text):
            code = re.sub(r"\s#.*|[>|;&].*", "", line.strip().removeprefix("$ ")).strip()
            words = shlex.split(code) if code.count("'") % 2 == 0 and code.count('"') % 2 == 0 else code.split()
            if words and Path(words[0]).name == program and len(words) > 1:
                found.append((str(page.relative_to(REPOSITORY)), words[1:]))
    return found


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("page", "words"), lines("twinstore"), ids=lambda value: str(value)[:60])
def test_every_command_in_the_docs_exists(page: str, words: list[str]) -> None:
    """The words are a command of the program, and the options are options of that command."""
    name, known = "twinstore", {"--debug"}
    for word in words:
        if not word.startswith("-") and f"{name} {word}" in COMMANDS:
            name = f"{name} {word}"
    assert name in COMMANDS
    assert name != "twinstore" or words[0].startswith("--"), f"{page} names {words}"
    known |= options(COMMANDS[name]) | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """`--help` works, and says more than the usage."""
    answer = CliRunner().invoke(app, [*name.split()[1:], "--help"])
    assert answer.exit_code == 0
    assert COMMANDS[name].help


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not hasattr(command, "commands")])
def test_every_command_and_option_is_in_the_docs(name: str) -> None:
    """Each is named by README or a page of docs, the options of a command together with it."""
    named = [words for _, words in lines("twinstore") if " ".join(["twinstore", *words]).startswith(name)]
    assert named, f"no page says {name}"
    shown = {word.partition("=")[0] for words in named for word in words} | set(re.findall(r"--[a-z][a-z-]+", ALL))
    assert sorted(options(COMMANDS[name]) - shown - {"--help"}) == []


def test_every_make_target_in_the_docs_exists() -> None:
    """And `make help` lists every target."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {words[0] for _, words in lines("make")} <= targets
    shown = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z]+)", shown, re.MULTILINE)) == targets - {"help"}


def test_the_settings_page_is_that_of_the_code() -> None:
    """Its table is the one that the settings give."""
    assert table() in TEXTS[REPOSITORY / "docs" / "settings.md"]


def test_every_variable_in_the_docs_exists() -> None:
    """No page names a variable of ours that neither the program nor the tests read."""
    named = set(
        re.findall(r"\b(?:TWINSTORE|SUPABASE|DATABASE)_[A-Z_]+\b", ALL + (REPOSITORY / "env.example").read_text())
    )
    assert sorted(named - set(variables().values()) - set(VARIABLES)) == []


def test_the_example_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands no store is configured by it; what it shows commented out are defaults, or examples without one."""
    text = (REPOSITORY / "env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))
    examples = {variables()[name] for name, field in Settings.model_fields.items() if field.default is None}
    script = f"set -a; . {shlex.quote(str(REPOSITORY / 'env.example'))}; env -0"
    loaded = subprocess.run(["sh", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    for line in loaded.stdout.decode().split("\0"):
        name, _, value = line.partition("=")
        if name in variables().values():
            monkeypatch.setenv(name, value)
    for name in shown.keys() - examples:
        if name.startswith("TWINSTORE_"):
            monkeypatch.setenv(name, shown[name])
    settings = load_settings()
    assert settings.embedded
    assert settings.model_dump() == {name: field.default for name, field in Settings.model_fields.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files and anchors of other pages, and pictures, are there."""
    for target in (first or second for first, second in LINK.findall(FENCE.sub("", TEXTS[page]))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_page_can_be_reached() -> None:
    """docs/README.md links every page of docs, and README links that."""
    index = REPOSITORY / "docs" / "README.md"
    linked = {(index.parent / a).resolve() for a, _ in LINK.findall(TEXTS[index])}
    assert sorted(p for p in PAGES if p.parent != REPOSITORY and p not in {*linked, index}) == []
    assert "(docs/README.md)" in TEXTS[REPOSITORY / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_file_in_the_docs_exists(page: Path) -> None:
    """A path of the repository between backticks is one."""
    folders = "contracts|expectations|storage|flows|reports|tests|docs|prisma|\\.ci"
    for span in SPAN.findall(FENCE.sub("", TEXTS[page])):
        if re.fullmatch(rf"(?:{folders})/[\w./-]*", span):
            assert (REPOSITORY / span).exists() or (REPOSITORY / f"{span}.py").exists(), span


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_page_names_a_folder_of_one_machine(page: Path) -> None:
    """Paths are relative, or names that every machine has."""
    assert re.findall(r"(?<![\w.$}~/-])/(?:home|Users|work|tmp|mnt|opt)/\S*", TEXTS[page]) == []


def test_verdicts_and_exit_codes_are_those_of_the_code() -> None:
    """The table of verdicts has each verdict once with its code, worst first, and the precedence is as written."""
    text = TEXTS[REPOSITORY / "docs" / "verdicts.md"]
    rows = re.findall(r"^\| `(\w+)` \| (\d) \|", text, re.MULTILINE)
    worst_first = sorted(Verdict, key=lambda v: -v.rank)
    assert rows == [(str(v), str(v.exit_code)) for v in worst_first]
    assert " > ".join(worst_first) in text


def test_dependencies_are_those_of_the_project() -> None:
    """Each section of docs/dependencies.md lists the packages of one kind, no more and no fewer, each with a reason."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [project["dependencies"], *project["optional-dependencies"].values()]
    sections = TEXTS[REPOSITORY / "docs" / "dependencies.md"].split("\n## ")[1:]
    for lines_, section in zip(declared, sections, strict=True):
        listed = re.findall(r"^\| ([\w-]+) \| [^|]{5,} \|", section.partition("|---|")[2], re.MULTILINE)
        assert sorted(listed) == sorted(re.split(r"[^\w-]", line)[0] for line in lines_)


def test_the_picture_is_small() -> None:
    """The README opens quickly."""
    assert 0 < (REPOSITORY / "docs" / "images" / "report.png").stat().st_size < LIMIT_BYTES


@pytest.mark.parametrize("script", [".ci/run", "docs/images/make.sh"])
def test_scripts_can_be_run(script: str) -> None:
    """They are executable, and bash understands them."""
    assert os.access(REPOSITORY / script, os.X_OK)
    subprocess.run(["bash", "-n", str(REPOSITORY / script)], check=True)
