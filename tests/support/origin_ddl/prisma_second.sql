-- What the next push added to it.
ALTER TABLE public.planning
  ADD COLUMN project_id TEXT,
  ADD COLUMN storage JSONB,
  ADD COLUMN source TEXT,
  ADD COLUMN storage_status TEXT DEFAULT 'pending';
CREATE INDEX planning_project_id_idx ON public.planning (project_id);
CREATE INDEX planning_storage_status_idx ON public.planning (storage_status);
