"""Everything that a run found, as plain values: what reports render, the ledger remembers and the gate judges."""

from contracts.verdicts.accounts import RangeAccount, RowTotals, SideCounts
from contracts.verdicts.checks import CheckResult
from contracts.verdicts.differences import MISSING, Cluster, Difference, Explanation, FieldDifference
from contracts.verdicts.history import History, TrendPoint
from contracts.verdicts.proof import SelfProof
from contracts.verdicts.replication import ReplicationReport, StoreCapture, UnderWay
from contracts.verdicts.run import Cost, DatasetReport, Reason, RunReport, StoreFacts, worst

__all__ = [
    "MISSING",
    "CheckResult",
    "Cluster",
    "Cost",
    "DatasetReport",
    "Difference",
    "Explanation",
    "FieldDifference",
    "History",
    "RangeAccount",
    "Reason",
    "ReplicationReport",
    "RowTotals",
    "RunReport",
    "SelfProof",
    "SideCounts",
    "StoreCapture",
    "StoreFacts",
    "TrendPoint",
    "UnderWay",
    "worst",
]
