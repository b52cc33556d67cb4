"""Differences under their causes, within what a page can hold."""

from __future__ import annotations

from datetime import timedelta

from contracts.verdicts import Cluster, DatasetReport, Difference, Explanation
from contracts.vocabulary import Cause, DifferenceKind, StoreName
from reports.budget import CLUSTERS_MAX, LISTED_PER_CLUSTER, Budget
from reports.clusters import cluster_views, difference_view, group
from tests.support.factories import (
    MASK_KEY,
    STARTED,
    make_cluster,
    make_dataset,
    make_difference,
    make_field,
    make_missing,
    make_report,
)
from tests.support.troubled_report import make_failed_report

PLENTY = 10_000_000


def shifted(number: int, detail: str) -> Difference:
    """Return a difference whose explanation has a detail."""
    why = Explanation(cause=Cause.TIME_ZONE_SHIFT, fields=("created_at",), store=StoreName.SUPABASE, detail=detail)
    return make_difference(number, make_field("created_at", "a", "b"), explanations=(why,))


def with_differences(differences: list[Difference], clusters: list[Cluster]) -> DatasetReport:
    """Return a dataset with these differences and clusters."""
    return make_dataset(differences=tuple(differences), differences_total=len(differences), clusters=tuple(clusters))


def test_every_difference_is_under_its_causes() -> None:
    """Each cluster holds as many listed differences as it counts; a row with two causes is in both."""
    dataset = make_failed_report().datasets[0]
    groups = group(dataset)
    assert [len(members) for _, members in groups.values()] == [c.count for c in dataset.clusters]


def test_clusters_that_differ_in_detail_only() -> None:
    """Where cause, kind, fields and store are equal, the key, then the detail, then the order decides."""
    nine, one, other, bare = (
        shifted(1, "9 h later"),
        shifted(2, "1 h later"),
        shifted(3, "1 h later"),
        shifted(4, ""),
    )
    clusters = [
        make_cluster([nine], "`created_at` is 9 h later on supabase"),
        make_cluster([one], "`created_at` is 1 h later on supabase", count=2),
    ]
    groups = group(with_differences([nine, one, other, bare], clusters))
    assert [members for _, members in groups.values()] == [[nine, bare], [one, other]]


def test_no_difference_is_dropped() -> None:
    """What fits no cluster is listed under one of its own kind."""
    stray = make_missing(7, DifferenceKind.ONLY_PRIMARY)
    ((cluster, members),) = group(with_differences([stray], [])).values()
    assert members == [stray]
    assert (cluster.kind, cluster.count, cluster.cause) == (DifferenceKind.ONLY_PRIMARY, 1, Cause.UNEXPLAINED)


def test_lists_are_capped_and_count_the_rest() -> None:
    """A cluster lists at most so many rows and says how many it does not list; sample keys are not said twice."""
    report = make_failed_report()
    views = cluster_views(report.datasets[0], report, MASK_KEY, Budget(PLENTY))
    largest = views.items[0]
    assert len(largest.listed.items) == LISTED_PER_CLUSTER
    assert largest.listed.hidden == 380 - LISTED_PER_CLUSTER
    assert largest.keys.items == ()


def test_the_budget_is_shared_by_rounds() -> None:
    """When little room is left, every cluster gets a row before any gets a second; sample keys stand for the rest."""
    report = make_failed_report()
    views = cluster_views(report.datasets[0], report, MASK_KEY, Budget(14_000))
    assert {len(v.listed.items) for v in views.items} == {1, 2}
    assert all(v.keys.items for v in views.items)
    empty = cluster_views(report.datasets[0], report, MASK_KEY, Budget(0))
    assert all(v.listed.items == () for v in empty.items)


def test_many_clusters_are_capped() -> None:
    """A page shows the largest clusters and says how many it does not show."""
    differences = [make_difference(n, make_field(f"f{n}", "a", "b")) for n in range(CLUSTERS_MAX + 5)]
    clusters = [make_cluster([d], "differs") for d in differences]
    report = make_report()
    views = cluster_views(with_differences(differences, clusters), report, MASK_KEY, Budget(PLENTY))
    assert (len(views.items), views.hidden) == (CLUSTERS_MAX, 5)
    assert len({v.anchor for v in views.items}) == CLUSTERS_MAX


def test_anchors_stay_the_same_between_runs() -> None:
    """The same cluster has the same link whatever its size."""
    report = make_failed_report()
    one, other = (
        cluster_views(
            make_dataset(clusters=(make_cluster(members, "`title` differs"),)), report, MASK_KEY, Budget(PLENTY)
        )
        for members in ([shifted(1, "")], [shifted(2, ""), shifted(3, "")])
    )
    assert one.items[0].anchor == other.items[0].anchor


def test_ages_in_words() -> None:
    """A difference is new, known for some runs, or of unknown age."""
    report = make_report()
    new, unknown = make_difference(1), make_difference(2, first_seen=None)
    old = make_difference(3, runs_seen=3, first_seen=STARTED - timedelta(days=2))
    words = [difference_view(d, report, MASK_KEY).since for d in (new, unknown, old)]
    assert words == ["new in this run", "age unknown", "for 2 days, 3 runs in a row"]
