coalesce(live.version, '') || ':' || coalesce(held.rev, 0)
