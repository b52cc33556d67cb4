CREATE FUNCTION {function} RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY INVOKER
{settings} AS $door$
#variable_conflict use_column
BEGIN
{body}
END
$door$;
