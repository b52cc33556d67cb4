"""Why two stores differ: causes decided from the two rows, and the clusters that share one."""

from storage.parity.causes.clusters import cluster
from storage.parity.causes.explain import explain
from storage.parity.causes.one_sided import explain_one_sided
from storage.parity.causes.windows import Window, explain_window, find_windows

__all__ = ["Window", "cluster", "explain", "explain_one_sided", "explain_window", "find_windows"]
