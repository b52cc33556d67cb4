"""Print the fault catalogue as a page: `python -m storage.local.faults > docs/faults.md`."""

from __future__ import annotations

import sys

from storage.local.faults.page import to_markdown

sys.stdout.write(to_markdown())
