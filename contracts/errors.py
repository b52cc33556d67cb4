"""What can go wrong, by what the caller does about it.

TwinstoreError              one sentence of what is wrong, one of what to do
├── ConfigurationError      settings, arguments or files are unusable: mend them
├── Invalid                 a record or a request breaks the contract: correct it, nothing was asked of a store
├── Unavailable             a store cannot be reached: try again later
│   ├── OutcomeUnknown      a write may or may not have been carried out: look before it is repeated
│   └── CircuitOpen         too many calls failed, so that none was made: try again when it says
├── Refused                 a store was reached and refuses us: mend grants or credentials
├── SchemaMismatch          a store's table is not what the dataset needs: migrate
├── Exhausted               this process makes too many calls at a time: make fewer, or try again
├── TimedOut                a store gave up on a statement: raise the limit or lower the load
├── ProtocolError           an answer cannot be trusted: nothing may be concluded from it
├── Conflict                someone else holds the lease, or a file changed under us
└── InternalFault           our own numbers do not add up: report it
"""

from __future__ import annotations


class TwinstoreError(Exception):
    """Base of every error that a command reports without a traceback.

    Args:
        what: One sentence that says what is wrong; never a value of a record, never a secret.
        todo: One sentence that says what to do.
        store: Name of the store that it concerns, if it concerns one.
    """

    def __init__(self, what: str, todo: str, *, store: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo
        self.store = store

    def __str__(self) -> str:
        return f"{self.what} {self.todo}"


class ConfigurationError(TwinstoreError):
    """Settings, arguments or files are unusable."""


class Invalid(TwinstoreError):
    """A record or a request breaks the contract; no store was written.

    Args:
        what: One sentence that says what is wrong.
        todo: One sentence that says what to do.
        violations: Each rule that is broken: where, such as `metadata.version`, and what is expected there. Never a
            value of the record.
    """

    def __init__(self, what: str, todo: str, *, violations: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(what, todo)
        self.violations = violations


class Unavailable(TwinstoreError):
    """A store cannot be reached or went away."""


class OutcomeUnknown(Unavailable):
    """A store went away while it was writing, and nobody can say whether it wrote."""


class CircuitOpen(Unavailable):
    """A store was not called, since its circuit breaker is open.

    Args:
        what: One sentence that says what is wrong.
        todo: One sentence that says what to do.
        store: Name of the store.
        wait_s: Seconds until it may be called again; None when somebody holds the circuit open.
    """

    def __init__(self, what: str, todo: str, *, store: str, wait_s: float | None) -> None:
        super().__init__(what, todo, store=store)
        self.wait_s = wait_s


class Refused(TwinstoreError):
    """A store was reached and refuses us: a wrong password, a missing grant."""


class SchemaMismatch(TwinstoreError):
    """A table, column, type or migration is missing or not what the dataset declares."""


class Exhausted(TwinstoreError):
    """This process makes as many calls to a store as it may at a time; that says nothing about the store."""


class TimedOut(TwinstoreError):
    """A statement or lock took longer than its limit."""


class ProtocolError(TwinstoreError):
    """An answer is malformed or incomplete, so that nothing may be concluded from it."""


class Conflict(TwinstoreError):
    """Someone else holds what we need, or it changed under us."""


class InternalFault(TwinstoreError):
    """Our own bookkeeping does not add up."""
