"""A suite asks servers for figures: it never pulls a table."""

from __future__ import annotations

import psycopg

from contracts.vocabulary import CheckStatus, StoreName
from expectations.runner import run_suite
from storage.urls import parse_url
from tests.support.servers import SEEDED_AT, Pair

_VIEW = """
CREATE VIEW public.watched AS
SELECT id, type, title, content, status, user_id, project_id, version, metadata,
       to_jsonb(1 / (version - version)) AS storage,  -- whoever reads it gets an error
       source, storage_status, created_at, updated_at
FROM public.planning
"""


def test_no_row_is_read_to_learn_the_names_of_columns(seeded_pair: Pair) -> None:
    """A column that nothing needs may be one that cannot be read: Great Expectations would run the query as it is."""
    with psycopg.connect(seeded_pair.primary) as connection:
        connection.execute(_VIEW)
    url = parse_url(seeded_pair.primary, "DATABASE_URL").sqlalchemy
    results = run_suite("planning", StoreName.PRISMA, url=url, schema="public", table="watched", now=SEEDED_AT)
    assert results
    assert not [result for result in results if result.status is CheckStatus.ERRORED]
