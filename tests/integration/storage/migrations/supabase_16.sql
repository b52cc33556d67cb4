-- A PostgreSQL 16 server and database with what the migrations need of Supabase, and with the default privileges of the
-- time before October 2026, when every role got everything.
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD 'harmless';
CREATE ROLE anon;
CREATE ROLE authenticated;
CREATE ROLE service_role BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD 'harmless';
GRANT anon, authenticated, service_role TO authenticator, postgres;
