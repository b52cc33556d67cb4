-- What the three forms of the Supabase table have in common.
CREATE TABLE public.planning (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  type TEXT NOT NULL CHECK (type IN ('scenario', 'video', 'story', 'prompt', 'image')),
  title TEXT NOT NULL,
  content JSONB NOT NULL,
  status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'in-progress', 'completed', 'failed')),
  user_id UUID,
  version INTEGER DEFAULT 1 CHECK (version > 0),
  metadata JSONB,
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX idx_planning_user_type ON public.planning (user_id, type);
CREATE INDEX idx_planning_user_status ON public.planning (user_id, status);
CREATE INDEX idx_planning_type_status ON public.planning (type, status);
CREATE INDEX idx_planning_created_at ON public.planning (created_at);
CREATE INDEX idx_planning_updated_at ON public.planning (updated_at);
CREATE INDEX idx_planning_content_gin ON public.planning USING GIN (content);
CREATE INDEX idx_planning_metadata_gin ON public.planning USING GIN (metadata);

CREATE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END
$$;
CREATE TRIGGER update_planning_updated_at BEFORE UPDATE ON public.planning
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.planning TO anon, authenticated;
GRANT ALL ON public.planning TO service_role;
ALTER TABLE public.planning ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Service role has full access" ON public.planning FOR ALL TO service_role USING (true) WITH CHECK (true);
