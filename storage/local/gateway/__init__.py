"""A stand-in for PostgREST behind the gate of hosted Supabase, for the embedded pair and for tests.

No production code path knows it. docs/gateway.md says what it covers; what PostgREST can do and this cannot is refused
with PostgREST's own error shape: `PGRST127`, or the code that PostgREST has for what is switched off.

Refused: embedded resources, aggregates, full-text search, PUT, bodies and answers other than JSON, the description at
the root, tokens signed with anything but HMAC-SHA256. Without effect: `Prefer: tx`, as by default in PostgREST, and
what a function sets as `response.headers` or `response.status`.
"""
