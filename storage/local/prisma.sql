-- The planning table, as `prisma db push` makes it of prisma/schema.prisma. Run as the application's role.
CREATE TABLE IF NOT EXISTS "public"."planning" (
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'draft',
    "user_id" TEXT,
    "project_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "metadata" JSONB,
    "storage" JSONB,
    "source" TEXT,
    "storage_status" TEXT DEFAULT 'pending',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "planning_pkey" PRIMARY KEY ("id")
);

CREATE INDEX IF NOT EXISTS "planning_user_id_type_idx" ON "public"."planning" ("user_id", "type");
CREATE INDEX IF NOT EXISTS "planning_user_id_status_idx" ON "public"."planning" ("user_id", "status");
CREATE INDEX IF NOT EXISTS "planning_type_status_idx" ON "public"."planning" ("type", "status");
CREATE INDEX IF NOT EXISTS "planning_created_at_idx" ON "public"."planning" ("created_at");
CREATE INDEX IF NOT EXISTS "planning_updated_at_idx" ON "public"."planning" ("updated_at");
CREATE INDEX IF NOT EXISTS "planning_project_id_idx" ON "public"."planning" ("project_id");
CREATE INDEX IF NOT EXISTS "planning_storage_status_idx" ON "public"."planning" ("storage_status");
