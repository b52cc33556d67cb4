"""The embedded pair: two PostgreSQL servers on this machine, one of them dressed and served as Supabase."""

from storage.local.gateway.options import Options as GatewayOptions
from storage.local.gateway.process import GatewayProcess
from storage.local.pair import LocalPair, PairInfo, RestInfo, StoreInfo, down, status, up

__all__ = [
    "GatewayOptions",
    "GatewayProcess",
    "LocalPair",
    "PairInfo",
    "RestInfo",
    "StoreInfo",
    "down",
    "status",
    "up",
]
