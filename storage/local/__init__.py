"""The embedded pair: two PostgreSQL servers on this machine, one of them dressed as Supabase, for a first look."""

from storage.local.pair import LocalPair, PairInfo, RestInfo, StoreInfo, down, status, up

__all__ = ["LocalPair", "PairInfo", "RestInfo", "StoreInfo", "down", "status", "up"]
