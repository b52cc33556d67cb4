"""A cursor over one query parameter: the few moves that the grammar of the URL needs."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[\w $]+")  # \w of Python: letters and digits of every script, underscore


class Unexpected(Exception):
    """The text does not go on as the grammar wants.

    Args:
        found: What is there instead; empty at the end.
        wanted: What could have been there.
    """

    def __init__(self, found: str, wanted: str) -> None:
        there = f'"{found}"' if found else "end of input"
        super().__init__(f"unexpected {there} expecting {wanted}")


class Scanner:
    """A position in a text.

    Args:
        text: What is read from left to right.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether everything was read."""
        return self._at == len(self._text)

    def sees(self, token: str) -> bool:
        """Tell whether `token` comes next."""
        return self._text.startswith(token, self._at)

    def takes(self, token: str) -> bool:
        """Pass over `token` if it comes next, and tell whether it did."""
        if not self.sees(token):
            return False
        self._at += len(token)
        return True

    def need(self, token: str) -> None:
        """Pass over `token`.

        Raises:
            Unexpected: Something else comes next.
        """
        if not self.takes(token):
            raise self.unexpected(f'"{token}"')

    def takes_match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Pass over what `pattern` matches here, and return the match; None where it does not match."""
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match

    def until(self, stops: str) -> str:
        """Return everything before the next character of `stops`, or to the end."""
        begin = self._at
        while not self.ended and self._text[self._at] not in stops:
            self._at += 1
        return self._text[begin : self._at]

    def rest(self) -> str:
        """Return everything that is left."""
        return self.until("")

    def quoted(self) -> str | None:
        """Return a text in double quotes, its escapes undone; None where no quote comes next.

        Raises:
            Unexpected: The closing quote is missing.
        """
        if not self.takes('"'):
            return None
        parts = []
        while not self.takes('"'):
            self.takes("\\")
            if self.ended:
                raise self.unexpected('"\\""')
            parts.append(self._text[self._at])
            self._at += 1
        return "".join(parts)

    def quoted_item(self) -> str | None:
        """Return a quoted text that a comma, a bracket or the end follows; else None, and nothing is read."""
        begin = self._at
        try:
            text = self.quoted()
        except Unexpected:
            text = None
        if text is None or not (self.ended or self._text[self._at] in ",)"):
            self._at = begin
            return None
        return text

    def name(self) -> str:
        """Return the name of a field: quoted, or of plain characters; single dashes may join those.

        Raises:
            Unexpected: No name comes next.
        """
        if (text := self.quoted()) is not None:
            return text
        parts = [self.plain()]
        while self.sees("-") and not self.sees("->"):
            self.need("-")
            parts.append(self.plain())
        return "-".join(parts)

    def plain(self) -> str:
        """Return one or more plain characters, without the blanks around them.

        Raises:
            Unexpected: None comes next.
        """
        match = self.takes_match(_PLAIN)
        if match is None:
            raise self.unexpected("field name (* or [a..z0..9_$])")
        return match.group().strip()

    def blanks(self) -> None:
        """Pass over blanks."""
        while self.takes(" ") or self.takes("\t"):
            pass

    def finish(self) -> None:
        """Make sure that everything was read.

        Raises:
            Unexpected: Something is left.
        """
        if not self.ended:
            raise self.unexpected("end of input")

    def unexpected(self, wanted: str) -> Unexpected:
        """Return the error that something other than `wanted` comes next."""
        return Unexpected(self._text[self._at : self._at + 1], wanted)
