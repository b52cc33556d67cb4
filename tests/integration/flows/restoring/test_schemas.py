"""What other tables, indexes and sequences of a store make of a restore, and it of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts import found_files
from contracts.errors import Conflict, SchemaMismatch
from contracts.vocabulary import Channel, StoreName
from flows.backup import backups_folder
from storage.backup.journal import restorations
from tests.support.restoring import Scene, changed, rows
from tests.support.second_dataset import fill, make_tables, second_dataset
from tests.support.servers import SEEDED, Pair, Servers
from tests.support.two_stores import TABLE, keys, run, titled, work_on

PRISMA = StoreName.PRISMA
REFERRING = {"cascading": "CASCADE", "emptied": "SET NULL", "defaulted": "SET DEFAULT"}


def execute(pair: Pair, script: str) -> None:
    """Run statements on the primary."""
    with psycopg.connect(pair.primary) as connection:
        connection.execute(script.encode())


def asked(pair: Pair, query: str) -> list[tuple[Any, ...]]:
    """Return what the primary answers."""
    with psycopg.connect(pair.primary) as connection:
        return connection.execute(query.encode()).fetchall()


def referring(pair: Pair) -> dict[str, object]:
    """Return what refers to a code, by table."""
    return {table: code for table in REFERRING for (code,) in asked(pair, f"SELECT code FROM {table}")}


def test_what_goes_on_by_on_update_must_be_allowed(scene: Scene) -> None:
    """References to another column than the key change with it: said before, refused unless that is allowed by name.

    Those that refer to the key stay as they are, whatever they say: keys are not changed.
    """
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ADD COLUMN code text UNIQUE")
    run(scene.pair, PRISMA, f"UPDATE {TABLE} SET code = 'old ' || id")
    run(scene.pair, PRISMA, f"CREATE TABLE kept (planning text REFERENCES {TABLE} ON UPDATE CASCADE)")
    for table, action in REFERRING.items():
        run(scene.pair, PRISMA, f"CREATE TABLE {table} (code text REFERENCES {TABLE} (code) ON UPDATE {action})")
    made = scene.backup(PRISMA)
    one, *_ = keys(scene.pair, 1)
    run(scene.pair, PRISMA, f"UPDATE {TABLE} SET code = 'new' WHERE id = %s", one)
    for table in REFERRING:
        run(scene.pair, PRISMA, f"INSERT INTO {table} VALUES ('new')")
    before = referring(scene.pair)
    sentence = (
        r"1 rows of planning would be changed, and references of "
        r"public\.cascading, public\.defaulted, public\.emptied with them"
    )
    assert sentence.replace("\\", "") in scene.restore(PRISMA).notes[0]
    with pytest.raises(Conflict, match=sentence):
        scene.restore(PRISMA, confirm=made.id)
    assert referring(scene.pair) == before
    assert restorations(backups_folder(scene.work.settings)) == ()
    scene.restore(PRISMA, confirm=made.id, allow_cascade=True)
    assert referring(scene.pair) == {"cascading": f"old {one}", "emptied": None, "defaulted": None}


def test_sequences_indexes_and_writers_stand_in_no_way(scene: Scene) -> None:
    """Rows exchange unique values, applications write while rows are copied, and no sequence goes back."""
    run(scene.pair, PRISMA, f"CREATE SEQUENCE odd OWNED BY {TABLE}.title")
    run(scene.pair, PRISMA, "CREATE SEQUENCE shared")
    run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ADD COLUMN number bigint DEFAULT nextval('shared')")
    execute(
        scene.pair,
        f"""
        CREATE DOMAIN number AS bigint; CREATE DOMAIN counted AS number;
        CREATE SEQUENCE deep; CREATE SEQUENCE recast; CREATE SEQUENCE "a'b"; CREATE SEQUENCE apart;
        CREATE SEQUENCE within; CREATE DOMAIN given AS bigint DEFAULT nextval('within'); CREATE DOMAIN taken AS given;
        ALTER TABLE {TABLE} ADD COLUMN deep counted DEFAULT nextval('deep'),
          ADD COLUMN within taken,
          ADD COLUMN recast integer DEFAULT (nextval('recast')::integer),
          ADD COLUMN twice bigint DEFAULT (nextval('"a''b"')::numeric(10,0)::counted),
          ADD COLUMN apart bigint DEFAULT (nextval('apart') + 1000)""",
    )
    for name, step in (("up", 1), ("down", -1)):
        numbered = f"bigint UNIQUE GENERATED ALWAYS AS IDENTITY (INCREMENT BY {step})"
        run(scene.pair, PRISMA, f"ALTER TABLE {TABLE} ADD COLUMN {name} {numbered}")
    one, other, gone, third = keys(scene.pair, 4)
    for key in (one, other, gone):
        titled(scene.pair, PRISMA, key, key)
    run(
        scene.pair, PRISMA, f"CREATE UNIQUE INDEX once ON {TABLE} (title) WHERE title IN ('{one}', '{other}', '{gone}')"
    )
    before = rows(scene.pair, PRISMA)
    made = scene.backup(PRISMA)
    for key, title in ((one, "aside"), (other, one), (one, other)):
        titled(scene.pair, PRISMA, key, title)
    last = asked(
        scene.pair, "SELECT last_value FROM planning_up_seq UNION ALL SELECT last_value FROM planning_down_seq"
    )
    run(scene.pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", gone)
    new = f"INSERT INTO {TABLE} (id, type, title, content, updated_at) VALUES ('new', 'story', %s, '{{}}', now())"
    run(scene.pair, PRISMA, new, gone)  # stands in the way of the one that comes back
    behind = ("shared", "deep", "within", "recast", "\"a''b\"", "apart")
    moved = ", ".join(f"setval('{name}', 5)" for name in ("planning_up_seq", *behind))
    run(scene.pair, PRISMA, f"SELECT {moved}")
    written = []

    def write(step: str) -> None:
        if step in {"copy planning to prisma", "bring planning on prisma back"}:
            titled_soon(third)
            written.append(step)
        elif step == "compare planning on prisma with the backup":
            with pytest.raises(psycopg.errors.LockNotAvailable):
                titled_soon(third)

    def titled_soon(key: str) -> None:
        with psycopg.connect(scene.pair.primary, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '100ms'")
            connection.execute(f"UPDATE {TABLE} SET title = 'meanwhile' WHERE id = %s".encode(), [key])

    done = scene.restore(PRISMA, confirm=made.id, progress=write)
    assert len(written) == 2
    assert (done.changes[0].inserted, done.changes[0].changed, done.changes[0].deleted) == (1, 3, 1)
    assert rows(scene.pair, PRISMA) == before
    ((up,), (down,)) = last
    assert asked(scene.pair, "SELECT nextval('planning_up_seq'), nextval('planning_down_seq')") == [(up + 1, down - 2)]
    *gone_on, apart = (f"nextval('{name}') = count(*) + 1" for name in behind)
    assert asked(scene.pair, f"SELECT {', '.join(gone_on)} FROM {TABLE}") == [(True,) * 5]
    assert asked(scene.pair, f"SELECT {apart} FROM {TABLE}") == [(False,)]  # its rows have other numbers than it gives


def test_a_row_gets_the_number_back_that_the_server_gave_it(scene: Scene) -> None:
    """It is made anew where nobody notices; elsewhere that is refused before anything is halted, with the way out."""
    execute(scene.pair, f"ALTER TABLE {TABLE} ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY")
    one, other = keys(scene.pair, 2)
    made, before = scene.backup(PRISMA), rows(scene.pair, PRISMA)

    def written_anew() -> None:
        run(scene.pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", one)
        again = f"INSERT INTO {TABLE} (id, type, title, content, updated_at) VALUES (%s, 'story', 'a', '{{}}', now())"
        run(scene.pair, PRISMA, again, one)
        titled(scene.pair, PRISMA, other, "later")

    def restored() -> None:
        (done,) = scene.restore(PRISMA, confirm=made.id).changes
        assert (done.inserted, done.changed, done.deleted) == (0, 2, 0)
        assert rows(scene.pair, PRISMA) == before

    written_anew()
    restored()
    execute(scene.pair, f"CREATE TABLE note (planning text REFERENCES {TABLE})")
    written_anew()
    sentence = "seq itself, and would not give 1 rows the numbers of the backup"
    assert sentence in scene.restore(PRISMA).notes[0]
    with pytest.raises(Conflict, match=sentence):
        scene.restore(PRISMA, confirm=made.id)
    assert [one.state for one in restorations(backups_folder(scene.work.settings))] == ["done"]
    execute(scene.pair, f"ALTER TABLE {TABLE} ALTER seq SET GENERATED BY DEFAULT")
    restored()


def test_parts_of_a_value_stay_its_parts(scene: Scene) -> None:
    """A composite type may have got its attributes in another order, or under other names, at any depth."""
    execute(
        scene.pair,
        f"""
        CREATE TYPE inner_place AS (street text, city text);
        CREATE DOMAIN known_place AS inner_place;
        CREATE TYPE place AS (known known_place[], since date);
        ALTER TABLE {TABLE} ADD COLUMN place place;
        UPDATE {TABLE} SET place = ROW(ARRAY[ROW('Main', 'Berlin')::known_place], '2026-01-02')""",
    )
    made = scene.backup(PRISMA)
    execute(scene.pair, f"UPDATE {TABLE} SET place = NULL")
    (done,) = scene.restore(PRISMA, confirm=made.id).changes
    assert done.changed == done.before > 0
    execute(
        scene.pair,
        """
        ALTER TYPE inner_place RENAME ATTRIBUTE street TO gone;
        ALTER TYPE inner_place RENAME ATTRIBUTE city TO street;
        ALTER TYPE inner_place RENAME ATTRIBUTE gone TO city""",
    )
    for confirm in (None, made.id):
        with pytest.raises(
            SchemaMismatch, match="place with the attributes known, since, city, street, and the backup"
        ):
            scene.restore(PRISMA, confirm=confirm)


PARTS = {
    "leaf": f"""
        CREATE TABLE whole (LIKE {TABLE} INCLUDING ALL) PARTITION BY RANGE (id);
        CREATE TABLE few PARTITION OF whole FOR VALUES FROM (MINVALUE) TO ('8');
        CREATE TABLE more PARTITION OF whole DEFAULT;
        INSERT INTO whole SELECT * FROM {TABLE};
        DROP TABLE {TABLE};
        ALTER TABLE whole RENAME TO planning;
        CREATE TABLE note (planning text REFERENCES few ON DELETE CASCADE);
        CREATE RULE swept AS ON DELETE TO {TABLE} DO ALSO DELETE FROM swept WHERE planning = old.id""",
    "heir": f"""
        CREATE TABLE few (PRIMARY KEY (id)) INHERITS ({TABLE});
        CREATE TABLE note (planning text REFERENCES few ON DELETE CASCADE);
        CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN DELETE FROM swept WHERE planning = old.id; RETURN old; END';
        CREATE TRIGGER swept AFTER DELETE ON few FOR EACH ROW EXECUTE FUNCTION sweep()""",
    "part": f"""
        CREATE TABLE whole (LIKE {TABLE} INCLUDING ALL) PARTITION BY RANGE (id);
        ALTER TABLE whole ATTACH PARTITION {TABLE} DEFAULT;
        CREATE TABLE note (planning text REFERENCES whole ON DELETE CASCADE);
        CREATE RULE swept AS ON DELETE TO {TABLE} DO ALSO DELETE FROM swept WHERE planning = old.id""",
}


@pytest.mark.parametrize("parts", PARTS)
def test_what_belongs_to_parts_of_a_table_is_seen(scene: Scene, parts: str) -> None:
    """References to a partition, to what inherits, or to the whole; triggers and rules that delete elsewhere."""
    execute(scene.pair, f"CREATE TABLE swept (planning text); {PARTS[parts]}")
    made = scene.backup(PRISMA)
    into = {"heir": "few"}.get(parts, TABLE)
    columns = "id, type, title, content, updated_at"
    execute(scene.pair, f"INSERT INTO {into} ({columns}) VALUES ('00', 'story', 'new', '{{}}', now())")
    execute(scene.pair, "INSERT INTO note VALUES ('00')")
    refused, unknown = scene.restore(PRISMA).notes
    assert "1 rows of planning would be deleted, and with them rows of public.note" in refused
    assert "A trigger or rule of the application runs where rows of public.planning are deleted" in unknown
    with pytest.raises(Conflict, match=r"with them rows of public\.note"):
        scene.restore(PRISMA, confirm=made.id)
    assert asked(scene.pair, "SELECT * FROM note") == [("00",)]


def test_rows_of_what_inherits_are_not_moved(scene: Scene) -> None:
    """Among those of the table they would come back as its own, without what only the other one holds."""
    execute(
        scene.pair,
        f"""
        CREATE TABLE heir (extra text, PRIMARY KEY (id)) INHERITS ({TABLE});
        INSERT INTO heir (id, type, title, content, updated_at) VALUES ('00', 'story', 'new', '{{}}', now())""",
    )
    scene.backup(PRISMA)
    execute(scene.pair, "DELETE FROM heir")
    with pytest.raises(SchemaMismatch, match=r"has rows of public\.heir among those of public\.planning"):
        scene.restore(PRISMA)


def test_expressions_and_triggers_go_by_the_settings_of_the_database(scene: Scene) -> None:
    """They give the same days as when the application wrote; which rows differ is seen by settings of ours."""
    for setting in ("TimeZone = 'America/New_York'", "DateStyle = 'SQL, DMY'", "extra_float_digits = -9"):
        name = psycopg.conninfo.conninfo_to_dict(scene.pair.primary)["dbname"]
        run(scene.pair, PRISMA, f'ALTER DATABASE "{name}" SET {setting}')
    execute(
        scene.pair,
        f"""
        CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.bill (paid money);
        CREATE FUNCTION day_of(text) RETURNS date IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1::date; END';
        CREATE FUNCTION dated() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.day := new.at::date; RETURN new; END';
        ALTER TABLE {TABLE} ADD COLUMN at timestamptz DEFAULT '2026-01-01 23:30', ADD COLUMN day date,
          ADD COLUMN born text DEFAULT '05/06/2020', ADD COLUMN ratio float8 DEFAULT 0.1::float8 + 0.2::float8;
        ALTER TABLE {TABLE} ADD COLUMN born_day date GENERATED ALWAYS AS (public.day_of(born)) STORED,
          ADD COLUMN written text GENERATED ALWAYS AS (ratio::text) STORED;
        CREATE TRIGGER dated BEFORE INSERT OR UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION dated();
        UPDATE {TABLE} SET title = title""",
    )
    query = f"SELECT day::text, born_day::text, written, ratio = 0.3::float8 FROM {TABLE} ORDER BY id"
    before = asked(scene.pair, query)
    made = scene.backup(PRISMA)
    assert "lc_monetary" not in dict(made.sides[0].settings)  # nothing that is dumped goes by it
    execute(scene.pair, f"DELETE FROM {TABLE} WHERE id < '8'; UPDATE {TABLE} SET ratio = 0.3")
    scene.restore(PRISMA, confirm=made.id)
    assert {*asked(scene.pair, query)} == {*before} == {("01/01/2026", "05/06/2020", "0.3", False)}


def test_no_value_is_rounded(scene: Scene) -> None:
    """Types of columns that changed since: rows come back as ALTER TABLE converts them, or not at all.

    Nothing counts as changed by that alone. What a type does that only the store has is seen in the store.
    """
    columns = [
        *("price numeric(10,2) DEFAULT 1.25", "code text UNIQUE", "kind char(5) DEFAULT 'ab'", "place text"),
        *("paid money DEFAULT 12.5", "words text[] DEFAULT ARRAY['NULL', NULL]"),
    ]
    with psycopg.connect(scene.pair.primary) as connection:
        for setting in ("array_nulls = off", "lc_monetary = 'C.utf8'", "standard_conforming_strings = off"):
            connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET {setting}'.encode())
    execute(scene.pair, f"ALTER TABLE {TABLE} {', '.join(f'ADD COLUMN {column}' for column in columns)}")
    execute(scene.pair, f"UPDATE {TABLE} SET place = '[0.123456789]'")
    execute(scene.pair, f"CREATE TABLE note (code text REFERENCES {TABLE} (code) ON UPDATE CASCADE)")
    made = scene.backup(PRISMA)
    assert ("lc_monetary", "C.utf8") in made.sides[0].settings
    alter = f"ALTER TABLE {TABLE} ALTER price DROP DEFAULT, ALTER price TYPE"
    execute(scene.pair, f"CREATE DOMAIN price AS numeric(10,1); {alter} price")
    with pytest.raises(SchemaMismatch, match=r"has price as numeric\(10,1\), .* there as numeric\(10,2\)"):
        scene.restore(PRISMA)
    execute(
        scene.pair, f"{alter} numeric(10,4); UPDATE {TABLE} SET price = 1.25; ALTER TABLE {TABLE} ALTER kind TYPE text"
    )
    before = rows(scene.pair, PRISMA)
    run(scene.pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", keys(scene.pair, 1)[0])
    (done,) = scene.restore(PRISMA, confirm=made.id).changes
    assert (done.inserted, done.changed, done.deleted) == (1, 0, 0)
    assert rows(scene.pair, PRISMA) == before
    with psycopg.connect(scene.pair.primary_superuser) as connection:
        connection.execute("CREATE EXTENSION vector SCHEMA public")
    execute(scene.pair, f"DROP TABLE note; ALTER TABLE {TABLE} ALTER place TYPE halfvec(1) USING NULL")
    with pytest.raises(
        Conflict, match=r"would not hold every value that the backup has in place\. Nothing was changed"
    ):
        scene.restore(PRISMA, confirm=made.id)
    assert asked(scene.pair, f"SELECT count(place) FROM {TABLE}") == [(0,)]


def test_instants_stay_the_instants_that_the_contract_reads(
    seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever time zone the store has: times that get a zone are taken for UTC, with and without a new contract."""
    pair, folder = seeded_pair, tmp_path / "datasets"
    make_tables(pair)
    fill(pair, 3)
    name = psycopg.conninfo.conninfo_to_dict(pair.primary)["dbname"]
    run(pair, PRISMA, f"ALTER DATABASE \"{name}\" SET TimeZone = 'Europe/Berlin'")
    monkeypatch.setenv("TWINSTORE_DATASETS", str(folder))
    with second_dataset(folder):
        with work_on(pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
            made = Scene(pair, work, servers).backup(PRISMA)
        for table, column in ((TABLE, "created_at"), ('"Reading"', '"takenAt"')):
            zoned = f"timestamptz USING {column} AT TIME ZONE 'UTC'"
            execute(pair, f"ALTER TABLE {table} ALTER {column} DROP DEFAULT, ALTER {column} TYPE {zoned}")
        contract = folder / "contracts" / "readings.py"
        now = contract.read_text(encoding="utf-8").replace(
            '"timestamp(6) without time zone"', '"timestamp with time zone"'
        )
        contract.write_text(now, encoding="utf-8")
        found_files.use_folder(None)
        found_files.use_folder(folder)
        instants = f"""SELECT sum(extract(epoch FROM t.created_at)) FROM {TABLE} AS t
                       UNION ALL SELECT sum(extract(epoch FROM r."takenAt")) FROM "Reading" AS r"""
        before = asked(pair, instants)
        with work_on(pair, Channel.SQL, home, monkeypatch, remembering=True) as work:
            scene = Scene(pair, work, servers)
            planned = scene.restore(PRISMA)
            execute(pair, f"DELETE FROM {TABLE} WHERE id < '4'; DELETE FROM \"Reading\" WHERE seq = 0")
            scene.restore(PRISMA, confirm=made.id)
    assert [(one.changed, one.deleted) for one in planned.changes] == [(0, 0)] * 2
    assert planned.notes == ()
    assert [(one.same, one.differing) for one in planned.beside] == [(SEEDED, 0), (3, 0)]
    assert asked(pair, instants) == before


def test_datasets_that_refer_to_each_other_and_to_themselves(
    seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pair that went and one that came, a tree whose branches moved, a table in partitions: in one transaction."""
    pair = seeded_pair
    make_tables(pair)
    execute(
        pair,
        f"""
        ALTER TABLE "Reading" RENAME TO whole;
        CREATE TABLE "Reading" (LIKE whole INCLUDING ALL) PARTITION BY RANGE (seq);
        CREATE TABLE few PARTITION OF "Reading" FOR VALUES FROM (MINVALUE) TO (5);
        CREATE TABLE more PARTITION OF "Reading" DEFAULT;
        DROP TABLE whole;
        ALTER TABLE "Reading" ADD FOREIGN KEY ("sensorId") REFERENCES {TABLE} ON DELETE RESTRICT ON UPDATE CASCADE;
        ALTER TABLE {TABLE} ADD COLUMN above text REFERENCES {TABLE}, ADD COLUMN slug text UNIQUE""",
    )
    reading = """INSERT INTO "Reading" ("sensorId", seq, label, counter, valid, day, quality, "takenAt")
                 SELECT %s, %s, 'a', 1, true, '2026-01-01', 'raw', now()"""
    gone, _, branch = keys(pair, 3)
    run(pair, PRISMA, reading, gone, 1)
    run(pair, PRISMA, f"UPDATE {TABLE} SET above = %s WHERE id = %s", gone, branch)
    monkeypatch.setenv("TWINSTORE_DATASETS", str(tmp_path / "datasets"))
    with (
        second_dataset(tmp_path / "datasets"),
        work_on(pair, Channel.SQL, home, monkeypatch, remembering=True) as work,
    ):
        scene = Scene(pair, work, servers)
        everything = 'SELECT t::text FROM "Reading" AS t ORDER BY 1'
        before = rows(pair, PRISMA), asked(pair, everything)
        made = scene.backup(PRISMA)
        with changed(scene, PRISMA) as (_, _, new):
            execute(pair, 'DELETE FROM "Reading"')
            run(pair, PRISMA, f"UPDATE {TABLE} SET above = %s WHERE id = %s", new, branch)
            run(pair, PRISMA, f"DELETE FROM {TABLE} WHERE id = %s", gone)
            run(pair, PRISMA, reading, new, 7)
            assert scene.restore(PRISMA).notes == ()
            done = scene.restore(PRISMA, confirm=made.id)
    assert (rows(pair, PRISMA), asked(pair, everything)) == before
    assert [(one.dataset, one.inserted, one.deleted) for one in done.changes] == [
        ("planning", 2, 1),
        ("readings", 1, 1),
    ]


def test_what_goes_makes_place_for_what_comes(
    seeded_pair: Pair, servers: Servers, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A record that came has what one that went had, and both have rows that refer to them."""
    pair = seeded_pair
    make_tables(pair)
    execute(pair, f'ALTER TABLE "Reading" ADD FOREIGN KEY ("sensorId") REFERENCES {TABLE} ON DELETE RESTRICT')
    execute(pair, f"ALTER TABLE {TABLE} ADD COLUMN slug text UNIQUE, ADD COLUMN above text REFERENCES {TABLE}")
    reading = """INSERT INTO "Reading" ("sensorId", seq, label, counter, valid, day, quality, "takenAt")
                 SELECT %s, 1, 'a', 1, true, '2026-01-01', 'raw', now()"""
    (gone, branch), new = keys(pair, 2), "00000000-0000-4000-8000-0000000000ff"
    run(pair, PRISMA, f"UPDATE {TABLE} SET slug = 'once' WHERE id = %s", gone)
    run(pair, PRISMA, reading, gone)
    run(pair, PRISMA, reading, branch)
    monkeypatch.setenv("TWINSTORE_DATASETS", str(tmp_path / "datasets"))
    with (
        second_dataset(tmp_path / "datasets"),
        work_on(pair, Channel.SQL, home, monkeypatch, remembering=True) as work,
    ):
        scene = Scene(pair, work, servers)
        before = rows(pair, PRISMA)
        made = scene.backup(PRISMA)
        run(pair, PRISMA, 'DELETE FROM "Reading" WHERE "sensorId" = %s', gone)
        execute(pair, 'UPDATE "Reading" SET counter = 2')
        run(pair, PRISMA, f"UPDATE {TABLE} SET id = %s WHERE id = %s", new, gone)
        run(pair, PRISMA, reading, new)
        run(pair, PRISMA, f"UPDATE {TABLE} SET above = %s WHERE id = %s", new, branch)
        with pytest.raises(Conflict, match=r"planning_slug_key of public\.planning does not let rows exchange"):
            scene.restore(PRISMA, confirm=made.id)
        run(pair, PRISMA, f"UPDATE {TABLE} SET above = NULL WHERE id = %s", branch)
        done = scene.restore(PRISMA, confirm=made.id)
        counts = [(change.inserted, change.changed, change.deleted) for change in done.changes]
        assert counts == [(1, 0, 1), (1, 1, 1)]
        assert rows(pair, PRISMA) == before
