"""What a restore does to rows of other datasets, by references and triggers: it stays in one store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts import found_files
from contracts.errors import ConfigurationError
from contracts.replication import Gap
from contracts.vocabulary import Channel, StoreName
from flows.sync import carry, survey
from storage.migrations import Side, migrate
from tests import support
from tests.support.accounts import url_of
from tests.support.restoring import Scene
from tests.support.servers import Pair, Servers
from tests.support.two_stores import TABLE, adopted_as_equal, run, work_on

PRISMA, SUPABASE = StoreName
LONG = pytest.mark.soak
NEW, GONE, LATE = (f"00000000-0000-4000-8000-0000000000{number}" for number in ("f0", "f1", "f2"))
WAYS = {
    "reference": "ALTER TABLE public.notes ADD FOREIGN KEY (planning) REFERENCES public.planning ON DELETE CASCADE",
    "trigger": """
        CREATE FUNCTION public.sweep() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN DELETE FROM public.notes WHERE planning = old.id; RETURN NULL; END';
        CREATE TRIGGER sweep AFTER DELETE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.sweep()""",
}


@pytest.fixture
def noted(seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Two stores that replicate planning records and notes on them."""
    folder = Path(support.__file__).with_name("notes")
    monkeypatch.setenv("TWINSTORE_DATASETS", str(folder))
    found_files.use_folder(folder)
    try:
        for store, kind in ((PRISMA, "text"), (SUPABASE, "uuid")):
            run(seeded_pair, store, f"CREATE TABLE public.notes (id {kind} PRIMARY KEY, planning {kind} NOT NULL)")
            migrate(url_of(seeded_pair, store), Side.PRIMARY if store is PRISMA else Side.SECONDARY)
        with work_on(seeded_pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
            adopted_as_equal(work)
            yield Scene(seeded_pair, work, servers)
    finally:
        found_files.use_folder(None)


def notes(pair: Pair, store: StoreName) -> list[str]:
    """Return the keys of all notes."""
    with psycopg.connect(url_of(pair, store)) as connection:
        return [key for (key,) in connection.execute("SELECT id::text FROM public.notes ORDER BY 1").fetchall()]


def carried(scene: Scene) -> None:
    """Carry over what waits: records before the notes that refer to them."""
    for replication in sorted(scene.work.replications, key=lambda one: one.dataset.name, reverse=True):
        carry(replication.both()[2])


@pytest.mark.parametrize("way", ["reference", pytest.param("trigger", marks=LONG)])
@pytest.mark.parametrize("store", [PRISMA, pytest.param(SUPABASE, marks=LONG)])
def test_rows_of_another_dataset_that_go_with_it_stay_on_the_other_store(
    noted: Scene, store: StoreName, way: str
) -> None:
    """Nothing of that dataset is carried over either; what applications wrote of other rows of it goes on waiting."""
    pair = noted.pair
    for statement in WAYS[way].split(";\n"):
        run(pair, store, statement)
    made = noted.backup(store)
    record = f"INSERT INTO {TABLE} (id, type, title, content, updated_at) VALUES (%s, 'story', 'new', '{{}}', now())"
    run(pair, PRISMA, record, NEW)
    run(pair, PRISMA, "INSERT INTO notes VALUES (%s, %s)", GONE, NEW)
    carried(noted)
    assert notes(pair, SUPABASE) == [GONE]
    run(pair, store, "UPDATE public.notes SET planning = planning")  # would delete it there, once it is gone here
    run(pair, store, f"INSERT INTO public.notes SELECT '{LATE}', id FROM {TABLE} WHERE title <> 'new' LIMIT 1")
    done = noted.restore(store, confirm=made.id, datasets=("planning",), allow_cascade=way == "reference")
    assert notes(pair, store) == [LATE]
    assert "nothing of notes is carried over either until `twinstore adopt`" in done.notes[0]
    found = survey(next(one for one in noted.work.replications if one.dataset.name == "notes")).status
    restored = found.primary if store is PRISMA else found.secondary
    assert restored is not None
    assert (found.ready, restored.dirty) == (False, 1)
    assert restored.gap is (Gap.RESTORED if store is PRISMA else Gap.REPLICA)
    carried(noted)  # what a relay does that has looked for gaps before
    assert GONE in notes(pair, store.other)


def test_a_backup_may_hold_what_is_no_dataset_any_more(noted: Scene) -> None:
    """It is said, with the words that bring the others back."""
    noted.backup(PRISMA)
    found_files.use_folder(None)
    with pytest.raises(ConfigurationError, match="holds notes besides") as refused:
        noted.restore(PRISMA)
    assert refused.value.todo == "Say what is to be restored: --dataset planning."
    assert noted.restore(PRISMA, datasets=("planning",)).state == "planned"
