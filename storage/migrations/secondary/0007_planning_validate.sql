-- Confirm each rule that every row keeps already; name those that old rows do not keep, with their number.
-- A transaction of its own: validating reads the whole table, and readers and writers go on meanwhile.
DO $validate$
DECLARE
  rule record;
  violations bigint;
BEGIN
  FOR rule IN
    SELECT conname, conrelid::regclass AS rel, pg_get_expr(conbin, conrelid) AS condition
    FROM pg_catalog.pg_constraint
    WHERE conrelid IN ('public.planning'::regclass, 'public.planning_audit_log'::regclass)
      AND contype = 'c' AND NOT convalidated AND conname ~ '^planning_'
    ORDER BY conname
  LOOP
    EXECUTE format('SELECT count(*) FROM %s WHERE NOT (%s)', rule.rel, rule.condition) INTO violations;
    IF violations = 0 THEN
      EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', rule.rel, rule.conname);
    ELSE
      RAISE WARNING '% rows of % do not keep %: they stay, and every new write is held to it.',
        violations, rule.rel, rule.conname;
    END IF;
  END LOOP;
END
$validate$;
