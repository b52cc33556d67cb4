"""`twinstore check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flows.check import Finished, Progress, run_check, threads
from flows.commands.common import err, out
from flows.quiet import quiet_libraries
from flows.settings import Settings, load_settings
from flows.wiring import find_stores, home, mask_key


def check_command(datasets: list[str] | None, *, flow: bool, reveal: bool, share: bool, as_json: bool) -> None:
    """Check, print what was found, and exit with the verdict's code."""
    settings = load_settings()
    settings = settings.model_copy(update={"reveal": settings.reveal or reveal, "share": settings.share or share})
    for name in datasets or ():
        _require_known(name)
    quiet_libraries(home(settings))
    finished = _as_flow(settings, datasets) if flow else _plain(settings, datasets)
    if as_json:
        from reports import to_json

        sys.stdout.write(to_json(finished.report, mask_key=mask_key(settings)) + "\n")
    else:
        show(finished)
    sys.exit(finished.report.verdict.exit_code)


def show(finished: Finished) -> None:
    """Print a run and where its report is."""
    from reports import print_report

    console = out()
    print_report(finished.report, console)
    console.print()
    console.print(f"Report: {finished.folder / 'report.html'}", soft_wrap=True)


@contextmanager
def progress_line() -> Iterator[Progress]:
    """Show on a terminal what happens now; elsewhere print nothing."""
    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("…") as status:
        yield lambda text: status.update(f"{text} …")


def _plain(settings: Settings, datasets: list[str] | None) -> Finished:
    with progress_line() as progress, threads() as conductor:
        stores = find_stores(settings, progress=progress)
        return run_check(settings, stores, conductor, datasets=datasets or None, progress=progress)


def _as_flow(settings: Settings, datasets: list[str] | None) -> Finished:
    from flows.nightly_check import check_as_flow

    return check_as_flow(datasets, reveal=settings.reveal, share=settings.share)


def _require_known(name: str) -> None:
    from contracts.registry import contract_for

    contract_for(name)
