"""The secondary over REST: supabase-py on an HTTP client that believes nothing it cannot prove."""
