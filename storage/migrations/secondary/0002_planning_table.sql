-- public.planning with its 14 columns: made on an empty server, completed where an older form of it stands.
CREATE TABLE IF NOT EXISTS public.planning (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  type text NOT NULL,
  title text NOT NULL,
  content jsonb NOT NULL,
  status text NOT NULL DEFAULT 'draft',
  user_id uuid,
  version integer DEFAULT 1,
  metadata jsonb,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now()
);
-- In the same transaction: a new table in an exposed schema is never seen without it.
ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.planning
  ADD COLUMN IF NOT EXISTS project_id uuid,
  ADD COLUMN IF NOT EXISTS storage jsonb,
  ADD COLUMN IF NOT EXISTS source text,
  ADD COLUMN IF NOT EXISTS storage_status text DEFAULT 'pending';

CREATE INDEX IF NOT EXISTS idx_planning_user_type ON public.planning (user_id, type);
CREATE INDEX IF NOT EXISTS idx_planning_user_status ON public.planning (user_id, status);
CREATE INDEX IF NOT EXISTS idx_planning_type_status ON public.planning (type, status);
CREATE INDEX IF NOT EXISTS idx_planning_created_at ON public.planning (created_at);
CREATE INDEX IF NOT EXISTS idx_planning_updated_at ON public.planning (updated_at);
CREATE INDEX IF NOT EXISTS idx_planning_project_id ON public.planning (project_id);
CREATE INDEX IF NOT EXISTS idx_planning_storage_status ON public.planning (storage_status);
