"""Sabotages of replication: rules of its SQL are cut out before any database is migrated, and one look of the check.

The functions of both stores are put together from templates. A cut replaces a fragment of one of them, in this process
only: whatever this process migrates gets the mutilated functions, which know themselves by their own checksum, so that
nothing but tests can notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from storage.migrations import replication_script
from storage.replication import places
from storage.replication.messages import Item


class Cut(NamedTuple):
    """One fragment of a template, and what stands in its place."""

    template: str
    fragment: str
    instead: str


BUSY = (
    Cut("apply", "THEN 'busy' END", "AND false THEN 'busy' END"),
    Cut("apply", ") THEN\n          _outcome := 'busy';", ") AND false THEN\n          _outcome := 'busy';"),
)
"""A delivery is applied although the secondary holds a change that nobody has judged."""

TOMBSTONE = (
    Cut(
        "captured",
        "  FOR _written IN",
        """\
  IF tg_op = 'DELETE' THEN
    DELETE FROM twinstore.row_state AS state USING (SELECT {key} AS key FROM (SELECT old.*) AS written) AS gone
    WHERE state.dataset = {dataset} AND state.key = gone.key;
  END IF;
  FOR _written IN""",
    ),
)
"""What is known of a key goes with its row."""

ORDER = (
    Cut("apply", "given.rev <= held.rev THEN 'stale'", "given.rev = held.rev THEN 'stale'"),
    Cut("apply", "_revs[_at] <= _found THEN", "_revs[_at] = _found THEN"),
)
"""A delivery that comes twice is stale as ever; one that was overtaken is applied."""

TRANSACTION = (
    Cut(
        "captured",
        "INSERT INTO twinstore.change (dataset, key, parts) VALUES ({dataset}, _written.key, _written.parts);",
        """\
WITH before AS (
      DELETE FROM twinstore.request WHERE hash = 'noted' AND answer ->> 'by' <> pg_current_xact_id()::text
      RETURNING answer)
    INSERT INTO twinstore.change (dataset, key, parts)
    SELECT {dataset}, answer ->> 'key', ARRAY(SELECT jsonb_array_elements_text(answer -> 'parts')) FROM before;
    INSERT INTO twinstore.request (key, hash, answer) VALUES (gen_random_uuid()::text, 'noted', jsonb_build_object(
      'key', _written.key, 'parts', _written.parts, 'by', pg_current_xact_id()::text));""",
    ),
)
"""The line of a write is added by the next transaction that writes, whoever's that is."""

APPLYING = (Cut("captured", "strpos(_applying, md5(", "false AND strpos(_applying, md5("),)
"""What a delivery writes is captured like a write of an application."""


def cutting(cuts: Sequence[Cut]) -> Callable[[], None]:
    """Return what makes these cuts.

    Raises:
        LookupError: A fragment is not exactly once in its template: the sabotage must be written anew.
    """

    def cut() -> None:
        honest = replication_script.text  # type: ignore[attr-defined]  # imported there

        def mutilated(path: str) -> str:
            found: str = honest(path)
            for template, fragment, instead in cuts:
                if path == f"replication/{template}.sql":
                    if found.count(fragment) != 1:
                        raise LookupError(f"{path} does not hold this exactly once: {fragment}")
                    found = found.replace(fragment, instead)
            return found

        for template, _, _ in cuts:
            mutilated(f"replication/{template}.sql")
        replication_script.text = mutilated  # type: ignore[attr-defined,assignment]  # sabotage

    return cut


def _waiting() -> None:
    """A key that waits to be carried over is not asked for."""
    places._Seen.waits = property(lambda _: False)  # type: ignore[assignment,method-assign]  # sabotage


class _Remembering:
    """Doors that answer every later look as they answered the first."""

    def __init__(self, doors: Any) -> None:
        self._doors = doors
        self._seen: dict[str, Item] = {}

    def look(self, keys: Sequence[str]) -> dict[str, Item]:
        """Look once."""
        self._seen = self._seen or self._doors.look(keys)
        return {key: self._seen[key] for key in keys}


def _second_look() -> None:
    """What was seen first counts, whatever happened meanwhile."""
    look = places.Places._look

    def hasty(self: Any, some: Any, moving: Any) -> Any:
        honest, self._primary = self._primary, _Remembering(self._primary)
        try:
            yield from look(self, some, moving)
        finally:
            self._primary = honest

    places.Places._look = hasty  # type: ignore[method-assign]  # sabotage


SABOTAGES: dict[str, Callable[[], None]] = {
    "busy-rule": cutting(BUSY),
    "tombstone": cutting(TOMBSTONE),
    "order": cutting(ORDER),
    "transaction": cutting(TRANSACTION),
    "applying": cutting(APPLYING),
    "waiting": _waiting,
    "second-look": _second_look,
}
