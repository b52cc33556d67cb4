-- One vocabulary and the limits that every row must keep. NOT VALID: old rows stay as they are, every new write is held.

-- A check on status or type alone that refuses one of our words is replaced by ours below.
DO $drop$
DECLARE
  rule record;
  refused bigint;
BEGIN
  FOR rule IN
    SELECT c.conname, a.attname, pg_get_expr(c.conbin, c.conrelid) AS condition,
           CASE a.attname
             WHEN 'type' THEN ARRAY['scenario', 'prompt', 'video', 'story', 'image']
             ELSE ARRAY['draft', 'active', 'processing', 'completed', 'failed', 'archived']
           END AS words
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = 'public.planning'::regclass AND c.contype = 'c' AND cardinality(c.conkey) = 1
      AND a.attname IN ('status', 'type')
  LOOP
    EXECUTE format('SELECT count(*) FROM unnest($1) AS words (%I) WHERE NOT (%s)', rule.attname, rule.condition)
      INTO refused USING rule.words;
    IF refused > 0 THEN
      EXECUTE format('ALTER TABLE public.planning DROP CONSTRAINT %I', rule.conname);
      RAISE WARNING 'Constraint % of public.planning refused words that are in use; it is replaced.', rule.conname;
    END IF;
  END LOOP;
END
$drop$;

DO $add$
DECLARE
  rule record;
BEGIN
  FOR rule IN
    SELECT * FROM (VALUES
      ('planning_type_known', $c$type IN ('scenario', 'prompt', 'video', 'story', 'image')$c$),
      ('planning_status_known', $c$status IN ('draft', 'active', 'processing', 'completed', 'failed', 'archived')$c$),
      ('planning_title_not_blank', $c$btrim(title, E' \t\n\r\f\x0b') <> ''$c$),
      ('planning_version_positive', $c$version IS NOT NULL AND version >= 1$c$),
      ('planning_created_at_known', $c$created_at IS NOT NULL$c$),
      ('planning_updated_at_known', $c$updated_at IS NOT NULL$c$)
    ) AS rules (name, condition)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                   WHERE conrelid = 'public.planning'::regclass AND conname = rule.name) THEN
      EXECUTE format('ALTER TABLE public.planning ADD CONSTRAINT %I CHECK (%s) NOT VALID', rule.name, rule.condition);
    END IF;
  END LOOP;
END
$add$;
