-- The table that sharing by project reads; users have no grant on it.
CREATE TABLE public.projects (id UUID PRIMARY KEY, user_id UUID NOT NULL, title TEXT);
ALTER TABLE public.projects ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.projects FROM anon, authenticated;
INSERT INTO public.projects VALUES
  ('aaaaaaaa-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000001', 'one'),
  ('aaaaaaaa-0000-4000-8000-000000000002', '22222222-0000-4000-8000-000000000002', 'two');
