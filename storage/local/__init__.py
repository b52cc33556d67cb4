"""The embedded pair: two PostgreSQL servers on this machine, one of them dressed as Supabase, for a first look."""
