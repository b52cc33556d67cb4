-- The rows that every vector finds.
TRUNCATE public.tv_people, public.tv_children, public.tv_defaults, public.tv_pairs, public.tv_unkeyed, public.tv_codes,
    public.tv_notes, public."tv order items" RESTART IDENTITY;

INSERT INTO public.tv_people (id, name, age, tags, data, born, score, active) VALUES
    (1, 'Ada', 36, '{math,engine}', '{"city": "London", "born": 1815, "langs": ["en", "fr"]}', '1815-12-10',
        12345678901234567890.0123456789, TRUE),
    (2, 'Bob', 17, '{}', '{"city": "Paris", "born": 2008}', '2008-02-29', 1.5, FALSE),
    (3, 'Cy, the "third"', 18, '{a,b}', NULL, NULL, NULL, NULL),
    (4, 'Dora 50%', 65, '{math}', '{"city": "London", "born": 1960}', '1960-01-01', 0, TRUE),
    (5, 'eve\x', 18, NULL, '{"city": null}', '9999-12-31', -1, FALSE);
INSERT INTO public.tv_children (id, parent) VALUES (1, 1);
INSERT INTO public.tv_defaults (id, bar, baz) VALUES (1000, 'first', 1);
INSERT INTO public.tv_pairs (a, b, note) VALUES (1, 'x', 'one'), (1, 'y', 'two'), (2, 'x', 'three');
INSERT INTO public.tv_codes (id, code, n) VALUES (1, 'one', 10), (2, 'two', 20);
INSERT INTO public.tv_notes (id, owner, note) VALUES (1, 'ann', 'of ann'), (2, 'ben', 'of ben'), (3, NULL, 'of all');
INSERT INTO public."tv order items" (id, "Unit Price", "dotted.name") VALUES (1, 150, 'a'), (2, 250, 'b');
