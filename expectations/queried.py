"""Two expectations about the rows that a query returns. Importing this module loads Great Expectations."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation


class ExpectNoViolations(UnexpectedRowsExpectation):
    """Expect a query to return no row, and run it once: the expectation that this one narrows runs it twice."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: Any = None,  # noqa: ARG002 - part of the signature that is overridden
        execution_engine: Any = None,  # noqa: ARG002 - likewise
    ) -> dict[str, Any]:
        rows = metrics["unexpected_rows_query.table"]
        return {"success": self._holds(rows), "result": {"observed_value": len(rows), "details": {"rows": rows}}}

    def _holds(self, rows: list[dict[str, Any]]) -> bool:
        return len(rows) == 0


class ExpectItHolds(ExpectNoViolations):
    """Expect a query to return one row, with what was measured and a column `holds` that is true."""

    def _holds(self, rows: list[dict[str, Any]]) -> bool:
        return len(rows) == 1 and rows[0]["holds"] == 1
