-- Remove what the primary side installed. RESTRICT: what somebody else built on it is not dragged along.
DROP TABLE IF EXISTS twinstore.migration_log RESTRICT;
DROP TABLE IF EXISTS twinstore.identity RESTRICT;
DROP SCHEMA IF EXISTS twinstore RESTRICT;
