"""Differences under the cause that they share: which are listed on a page, and how many are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.verdicts import Cluster, DatasetReport, Difference, Explanation, RunReport
from contracts.vocabulary import Cause, DifferenceKind
from reports.budget import CLUSTERS_MAX, FIELDS_MAX, KEYS_MAX, LISTED_PER_CLUSTER, Budget, Shown, first
from reports.diff import FieldDiff, field_diff
from reports.replication import place_of
from reports.text import KEY_MAX, age, count, moment, one_line, slug
from reports.words import CAUSES, KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """One difference as it is listed.

    Attributes:
        key: Its key.
        kind: Its kind in words.
        since: Since when it is known, in words.
        returned: True when it had been gone and came back.
        flapping: True when it keeps coming back.
        place: How it stands in replication, in words; empty where the stores do not replicate.
        fields: Its fields, side by side.
    """

    key: str
    kind: str
    since: str
    returned: bool
    flapping: bool
    place: str
    fields: Shown[FieldDiff]

    @property
    def weight(self) -> int:
        """Upper bound of the bytes that the difference needs on a page."""
        return 700 + len(self.key.encode()) + sum(f.weight for f in self.fields.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """One cluster with the differences that are listed under it.

    Attributes:
        anchor: Id of the cluster on the page, the same in every run that finds the same cluster.
        cluster: What is rendered.
        cause: The cause in two or three words.
        kind: The kind in words.
        since: Age of the oldest in words; empty without a ledger.
        since_at: When the oldest was first seen, in words.
        keys: Sample keys that are not among the listed differences.
        listed: Differences that are shown one by one.
    """

    anchor: str
    cluster: Cluster
    cause: str
    kind: str
    since: str
    since_at: str
    keys: Shown[str]
    listed: Shown[DifferenceView]


def cluster_views(dataset: DatasetReport, report: RunReport, mask_key: bytes, budget: Budget) -> Shown[ClusterView]:
    """Return the clusters of a dataset, each with as many differences as the budget allows.

    The budget is shared in rounds, one difference per cluster and round, so that a large cluster starves no small one.
    """
    members = group(dataset)
    shown = list(members)[:CLUSTERS_MAX]
    listed: dict[int, list[DifferenceView]] = defaultdict(list)
    for turn in range(LISTED_PER_CLUSTER):
        waiting = [index for index in shown if turn < len(members[index][1])]
        for index in waiting:
            view = difference_view(members[index][1][turn], report, mask_key)
            if budget.take(view.weight):
                listed[index].append(view)
    views = tuple(_view(dataset.name, members[index][0], listed[index], report.started_at) for index in shown)
    return Shown(items=views, total=len(members))


def group(dataset: DatasetReport) -> dict[int, tuple[Cluster, list[Difference]]]:
    """Return every cluster of the dataset with the listed differences that belong to it, by position.

    A difference that fits no cluster is put under one of its own kind, so that none is dropped.
    """
    members: dict[int, tuple[Cluster, list[Difference]]] = {i: (c, []) for i, c in enumerate(dataset.clusters)}
    index: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for position, cluster in enumerate(dataset.clusters):
        index[cluster.cause, cluster.kind, cluster.fields, cluster.store].append(position)
    strays: dict[DifferenceKind, list[Difference]] = defaultdict(list)
    for difference in dataset.differences:
        found = (_home(difference, e, index, dataset.clusters) for e in difference.explanations)
        homes = {home for home in found if home is not None}
        for home in homes:
            members[home][1].append(difference)
        if not homes:
            strays[difference.kind].append(difference)
    for kind, differences in strays.items():
        members[len(members)] = (_stray_cluster(kind, differences), differences)
    return members


def _home(
    difference: Difference, e: Explanation, index: dict[tuple[object, ...], list[int]], clusters: Sequence[Cluster]
) -> int | None:
    """Return the position of the cluster that an explanation belongs to."""
    homes = index.get((e.cause, difference.kind, e.fields, e.store), [])
    if len(homes) <= 1:
        return homes[0] if homes else None
    by_key = (h for h in homes if difference.key in clusters[h].sample_keys)
    by_detail = (h for h in homes if e.detail and e.detail in clusters[h].sentence)
    return next(by_key, None) or next(by_detail, homes[0])


def _stray_cluster(kind: DifferenceKind, differences: Sequence[Difference]) -> Cluster:
    return Cluster(
        cause=Cause.UNEXPLAINED,
        kind=kind,
        fields=(),
        store=None,
        sentence="differences that belong to no cluster",
        count=len(differences),
        sample_keys=tuple(d.key for d in differences[:KEYS_MAX]),
    )


def difference_view(difference: Difference, report: RunReport, mask_key: bytes) -> DifferenceView:
    """Return one difference ready to be listed."""
    fields = [field_diff(f, report, mask_key) for f in difference.fields[:FIELDS_MAX]]
    return DifferenceView(
        key=one_line(difference.key, KEY_MAX),
        kind=KINDS[difference.kind],
        since=_since(difference.first_seen, difference.runs_seen, report.started_at),
        returned=difference.returned,
        flapping=difference.flapping,
        place=place_of(difference),
        fields=first(fields, FIELDS_MAX, len(difference.fields)),
    )


def _since(first_seen: datetime | None, runs: int, now: datetime) -> str:
    if first_seen is None:
        return "age unknown"
    if runs <= 1:
        return "new in this run"
    return f"for {age(first_seen, now)}, {count(runs, 'run')} in a row"


def _view(dataset: str, cluster: Cluster, listed: Sequence[DifferenceView], now: datetime) -> ClusterView:
    there = {view.key for view in listed}
    others = [key for key in cluster.sample_keys if one_line(key, KEY_MAX) not in there]
    parts = (
        dataset,
        "cluster",
        cluster.cause,
        cluster.kind,
        cluster.store or "both",
        *cluster.fields,
        cluster.sentence,
    )
    return ClusterView(
        anchor=slug(*parts),
        cluster=cluster,
        cause=CAUSES[cluster.cause],
        kind=KINDS[cluster.kind],
        since=age(cluster.oldest, now) if cluster.oldest else "",
        since_at=moment(cluster.oldest) if cluster.oldest else "",
        keys=first(others, KEYS_MAX),
        listed=first(listed, LISTED_PER_CLUSTER, cluster.count),
    )
