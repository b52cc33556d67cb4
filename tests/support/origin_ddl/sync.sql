-- The later script that altered a table of the form m1: backup, four columns, indexes, policies beside the old ones.
CREATE TABLE public.planning_backup_20250918 AS SELECT * FROM public.planning;
ALTER TABLE public.planning
  ADD COLUMN project_id UUID,
  ADD COLUMN storage JSONB,
  ADD COLUMN storage_status TEXT DEFAULT 'pending',
  ADD COLUMN source TEXT;
UPDATE public.planning SET storage_status = 'pending' WHERE storage_status IS NULL;
CREATE INDEX idx_planning_project_id ON public.planning (project_id);
CREATE INDEX idx_planning_storage_status ON public.planning (storage_status);
CREATE INDEX idx_planning_user_project ON public.planning (user_id, project_id);
CREATE INDEX idx_planning_project_status ON public.planning (project_id, status);
CREATE INDEX idx_planning_project_type ON public.planning (project_id, type);
CREATE INDEX idx_planning_storage_gin ON public.planning USING GIN (storage);
CREATE POLICY "Users can view project planning data" ON public.planning FOR SELECT
  USING (project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can insert project planning data" ON public.planning FOR INSERT
  WITH CHECK (project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can update project planning data" ON public.planning FOR UPDATE
  USING (project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can delete project planning data" ON public.planning FOR DELETE
  USING (project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
