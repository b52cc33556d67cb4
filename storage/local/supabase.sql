-- Dress the current database as a hosted Supabase project (PostgreSQL 17 or newer). Run as supabase_admin, the superuser.
-- Re-runnable. Roles are shared by all databases of the server; the rest concerns the current database.
-- Left out, since nothing here needs it: the services' own roles and schemas, the safeupdate library, extensions.

-- Roles --------------------------------------------------------------------------------------------------------------
DO $$
DECLARE
    missing name;
BEGIN
    FOREACH missing IN ARRAY ARRAY['postgres', 'anon', 'authenticated', 'service_role', 'authenticator']::name[] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = missing) THEN
            EXECUTE format('CREATE ROLE %I', missing);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE postgres LOGIN INHERIT NOSUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS; -- what a customer has
ALTER ROLE anon NOLOGIN INHERIT NOSUPERUSER NOBYPASSRLS; -- requests without a user
ALTER ROLE authenticated NOLOGIN INHERIT NOSUPERUSER NOBYPASSRLS; -- requests of a signed-in user
ALTER ROLE service_role NOLOGIN INHERIT NOSUPERUSER BYPASSRLS; -- requests with the service key
ALTER ROLE authenticator LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS; -- what the REST service logs in as

GRANT anon, authenticated, service_role TO authenticator;
GRANT anon, authenticated, service_role TO postgres WITH ADMIN OPTION;

ALTER ROLE supabase_admin SET search_path = public, extensions;
ALTER ROLE postgres SET search_path = "$user", public, extensions;
ALTER ROLE postgres SET statement_timeout = '2min'; -- hosted: of the whole server
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';
ALTER ROLE authenticator SET statement_timeout = '8s';
ALTER ROLE authenticator SET lock_timeout = '8s';

-- The database and its schemas ---------------------------------------------------------------------------------------
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO postgres', current_database());
END
$$;

ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO postgres, anon, authenticated, service_role;

CREATE SCHEMA IF NOT EXISTS extensions;
GRANT ALL ON SCHEMA extensions TO postgres;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;

CREATE SCHEMA IF NOT EXISTS auth;
GRANT USAGE ON SCHEMA auth TO postgres, anon, authenticated, service_role;

-- Default privileges -------------------------------------------------------------------------------------------------
-- The platform's own objects are open to all roles. Of a customer's, since October 2026, tables and sequences cannot be
-- read or written without a GRANT; everybody may still execute a function unless that is revoked by name.
ALTER DEFAULT PRIVILEGES FOR ROLE supabase_admin IN SCHEMA public
    GRANT ALL ON TABLES TO postgres, anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE supabase_admin IN SCHEMA public
    GRANT ALL ON SEQUENCES TO postgres, anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE supabase_admin IN SCHEMA public
    GRANT ALL ON FUNCTIONS TO postgres, anon, authenticated, service_role;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public
    GRANT TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public
    GRANT UPDATE ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public
    GRANT EXECUTE ON FUNCTIONS TO anon, authenticated, service_role;

-- Who asks -----------------------------------------------------------------------------------------------------------
-- The REST service stores the token's claims for each transaction. After it the setting is '' rather than NULL.
CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE
    RETURN coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
    )::jsonb;

CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
    RETURN coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid;

CREATE OR REPLACE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE
    RETURN coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
    );

GRANT EXECUTE ON FUNCTION auth.jwt(), auth.uid(), auth.role() TO postgres, anon, authenticated, service_role;
