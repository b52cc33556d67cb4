CREATE OR REPLACE FUNCTION {function} RETURNS {result}
LANGUAGE plpgsql {volatility} SECURITY DEFINER
{settings} AS $door$
{body}
$door$;
