"""Renderers of a finished run; they know the values of contracts and nothing else."""

from reports.document import to_json
from reports.history import RunEntry, index_html
from reports.html import to_html
from reports.junit import to_gate_junit, to_junit
from reports.publish import Beside, publish, refresh_index, run_entries, write_whole
from reports.spreadsheet import to_csv
from reports.summary import to_summary
from reports.terminal import print_report

__all__ = [
    "Beside",
    "RunEntry",
    "index_html",
    "print_report",
    "publish",
    "refresh_index",
    "run_entries",
    "to_csv",
    "to_gate_junit",
    "to_html",
    "to_json",
    "to_junit",
    "to_summary",
    "write_whole",
]
