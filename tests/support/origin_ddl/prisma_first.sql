-- The planning table as Prisma pushed it first.
CREATE TABLE public.planning (
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  content JSONB NOT NULL,
  status TEXT NOT NULL DEFAULT 'draft',
  user_id TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  metadata JSONB,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMP(3) NOT NULL,
  CONSTRAINT planning_pkey PRIMARY KEY (id)
);
CREATE INDEX planning_user_id_type_idx ON public.planning (user_id, type);
CREATE INDEX planning_user_id_status_idx ON public.planning (user_id, status);
CREATE INDEX planning_type_status_idx ON public.planning (type, status);
CREATE INDEX planning_created_at_idx ON public.planning (created_at);
CREATE INDEX planning_updated_at_idx ON public.planning (updated_at);
