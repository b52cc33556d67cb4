"""The comparison of two stores: ranges, digests, drill-down, second look, accounting, causes."""
