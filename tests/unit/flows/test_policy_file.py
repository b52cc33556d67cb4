"""The policy file: what it says, where it says it, and that nothing in it is guessed or passed over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from contracts.errors import ConfigurationError
from contracts.gate import SourceLine
from contracts.policy import Limit, Policy
from contracts.vocabulary import Severity
from flows.policy_file import MAX_BYTES, PolicyFile, read_policy

YAML = """\
# what stops our deploys
version: 1
fail_on: warning
limits:
  differences: {max_rows: 3, max_share: 0.01}
checks:
  planning.title_not_blank:
    tolerate:
      max_rows: 5
waivers:
  - check: planning.status_canonical
    owner: Ada
    reason: "Imported rows: mended by the next import."
    expires: 2026-11-30
"""
TOML = """\
version = 1
fail_on = "warning"
[limits.differences]
max_rows = 3
max_share = 0.01
[checks."planning.title_not_blank".tolerate]
max_rows = 5
[[waivers]]
check = "planning.status_canonical"
owner = "Ada"
reason = "Imported rows: mended by the next import."
expires = 2026-11-30
"""


def read(folder: Path, text: str, name: str = "gate.yaml") -> PolicyFile:
    """Read a policy that is written to a file first."""
    (folder / name).write_text(text, encoding="utf-8")
    return read_policy(folder / name)


def refusal(folder: Path, text: str, name: str = "gate.yaml") -> str:
    """Return what is said about a policy that is refused, without the folder."""
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text, name)
    return caught.value.what.replace(f"{folder}/", "")


def test_yaml_and_toml_say_the_same(tmp_path: Path) -> None:
    """Numbers, words and dates come out alike."""
    yaml, toml = read(tmp_path, YAML), read(tmp_path, TOML, "gate.toml")
    assert yaml.policy == toml.policy
    assert yaml.policy.fail_on is Severity.WARNING
    assert yaml.policy.limits.differences == Limit(max_rows=3, max_share=0.01)
    assert yaml.policy.waivers[0].expires == date(2026, 11, 30)


def test_without_a_file_nothing_is_let_through() -> None:
    """The policy is the one that always holds, and there is no line to point at."""
    none = read_policy(None)
    assert (none.policy, none.name) == (Policy(version=1), None)
    assert none.line_of(("waivers", 0), Path.cwd()) is None


def test_every_word_has_its_line(tmp_path: Path) -> None:
    """A place that does not stand in the file is that of the nearest around it; of TOML only the file is known."""
    file = read(tmp_path, YAML)
    assert file.line_of(("waivers", 0), tmp_path) == SourceLine(path="gate.yaml", line=11)
    assert file.line_of(("checks", "planning.title_not_blank", "tolerate"), tmp_path) == SourceLine(
        path="gate.yaml", line=8
    )
    assert file.line_of(("limits", "min_rows"), tmp_path) == SourceLine(path="gate.yaml", line=4)
    assert file.line_of((), tmp_path) is None
    assert file.line_of(("waivers", 0), tmp_path / "elsewhere") is None
    assert read(tmp_path, TOML, "gate.toml").line_of(("waivers", 0), tmp_path) == SourceLine(path="gate.toml")


REFUSED = {
    "version: 1\nfail_no: warning\n": "gate.yaml, line 2: fail_no is no key of a policy.",
    "version: 1\nchecks:\n  planning.x:\n    tolerate: {max_rows: 1}\n    max_rowz: 1\n": (
        "gate.yaml, line 5: checks / planning.x / max_rowz is no key of a policy."
    ),
    "fail_on: warning\n": "gate.yaml: version is missing.",
    "version: 1\nwaivers:\n- check: planning.x\n  reason: r\n  expires: 2026-01-01\n": (
        "gate.yaml, line 3: waivers / 0 / owner is missing."
    ),
    "version: 1\nlimits:\n  differences: {}\n": (
        "gate.yaml, line 3: limits / differences: a limit needs max_rows, max_share or both."
    ),
    "version: 1\nfail_on: blocker\n": "gate.yaml, line 2: fail_on: input should be 'critical', 'warning' or 'info'.",
    "version: 1\nnothing_new: 'yes'\n": "gate.yaml, line 2: nothing_new: input should be a valid boolean.",
    "version: 1\na: 1\nb: 2\n": "gate.yaml, line 2: a is no key of a policy. 1 more thing is wrong.",
    "version: 1\nversion: 1\n": "gate.yaml, line 2: version is said twice.",
    "version: 1\nchecks:\n  planning.x: {required: true}\n  planning.x: {required: false}\n": (
        "gate.yaml, line 4: planning.x is said twice."
    ),
    "version: 1\n1: x\n": "gate.yaml, line 2: a key is no text.",
    "version: 1\nlimits: &a\n  min_rows: 1\ndatasets:\n  planning: *a\n": (
        "gate.yaml, line 2: an anchor is used again."
    ),
    "version: 1\nlimits:\n  <<: {min_rows: 1}\n": "gate.yaml, line 3: a key is no text.",
    "version: 1\n---\nversion: 1\n": "gate.yaml, line 2: this is no YAML, but found another document.",
    "version: [1\n": "gate.yaml, line 2: this is no YAML, expected ',' or ']', but got '<stream end>'.",
    "version: 1\nx: !other 1\n": (
        "gate.yaml, line 2: this is no YAML, could not determine a constructor for the tag '!other'."
    ),
    "version: 1\nx: 2026-13-45\n": "gate.yaml is no YAML.",
    f"version: 1\nx: {'[' * 3000}{']' * 3000}\n": "gate.yaml is no YAML.",
    "version: 1\nx: !!binary aGk=\n": "gate.yaml holds something that is no text, number, switch or date.",
    "- version: 1\n": "gate.yaml: input should be an object.",
    "": "gate.yaml is empty.",
    "# only a remark\n": "gate.yaml is empty.",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    """One sentence names the file, the line and the words."""
    assert refusal(tmp_path, text) == REFUSED[text]


def test_toml_is_refused_with_its_words(tmp_path: Path) -> None:
    """Unknown keys by their place, broken files by the line that the parser names."""
    assert refusal(tmp_path, "version = 1\nfail_no = 1\n", "g.toml") == "g.toml: fail_no is no key of a policy."
    assert "(at line 2, column" in refusal(tmp_path, "version = 1\nversion = 1\n", "g.toml")
    for absurd in (f"{'[' * 3000}{']' * 3000}", "9" * 5000):
        assert refusal(tmp_path, f"version = {absurd}\n", "g.toml") == "g.toml is no policy."


def test_files_that_are_no_policy_are_refused(tmp_path: Path) -> None:
    """A missing one, one of another kind, one that is too large, one that is no text."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_policy(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_policy(tmp_path)
    assert refusal(tmp_path, "version: 1\n", "gate.json") == "gate.json is neither YAML nor TOML."
    assert refusal(tmp_path, "#" * (MAX_BYTES + 1)) == "gate.yaml is too large for a policy."
    (tmp_path / "gate.yaml").write_bytes(b"version: 1\nx: \xff")
    with pytest.raises(ConfigurationError, match="no UTF-8"):
        read_policy(tmp_path / "gate.yaml")
