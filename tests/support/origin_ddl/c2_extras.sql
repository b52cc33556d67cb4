-- What the form c2 has beyond c1: four columns, their indexes, policies that also look at projects.
ALTER TABLE public.planning
  ADD COLUMN project_id UUID,
  ADD COLUMN storage JSONB,
  ADD COLUMN source TEXT,
  ADD COLUMN storage_status TEXT DEFAULT 'pending';
CREATE INDEX idx_planning_project_id ON public.planning (project_id);
CREATE INDEX idx_planning_storage_status ON public.planning (storage_status);
CREATE INDEX idx_planning_user_project ON public.planning (user_id, project_id);
CREATE INDEX idx_planning_project_status ON public.planning (project_id, status);
CREATE INDEX idx_planning_project_type ON public.planning (project_id, type);
CREATE INDEX idx_planning_storage_gin ON public.planning USING GIN (storage);
CREATE POLICY "Users can view own planning data" ON public.planning FOR SELECT
  USING (user_id = auth.uid() OR project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can insert own planning data" ON public.planning FOR INSERT
  WITH CHECK (user_id = auth.uid() OR project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can update own planning data" ON public.planning FOR UPDATE
  USING (user_id = auth.uid() OR project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
CREATE POLICY "Users can delete own planning data" ON public.planning FOR DELETE
  USING (user_id = auth.uid() OR project_id IN (SELECT id FROM public.projects WHERE user_id = auth.uid()));
