-- Settings of the roles that we may become, without those that we may not set.
SELECT r.rolname AS role,
       pg_catalog.split_part(setting.pair, '=', 1) AS name,
       pg_catalog.substr(setting.pair, pg_catalog.strpos(setting.pair, '=') + 1) AS value
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting (pair)
  LEFT JOIN pg_catalog.pg_settings AS known ON known.name = pg_catalog.split_part(setting.pair, '=', 1)
 WHERE s.setdatabase = 0
   AND pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
   AND r.rolname <> current_user
   AND (known.context = 'user' OR pg_catalog.has_parameter_privilege(known.name, 'SET'));
