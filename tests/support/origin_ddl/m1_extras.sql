-- What only the form m1 has: rules on titles and bodies, a trigger that invents titles, an audit log that swallows its errors.
ALTER TABLE public.planning
  ADD CONSTRAINT planning_title_not_empty CHECK (length(trim(title)) > 0),
  ADD CONSTRAINT planning_content_has_id CHECK (content ? 'id'),
  ADD CONSTRAINT planning_content_has_type CHECK (content ? 'type');

CREATE FUNCTION public.validate_planning_data() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.content ->> 'id' <> NEW.id::text THEN
    RAISE EXCEPTION 'content.id does not match';
  END IF;
  IF NEW.content ->> 'type' <> NEW.type THEN
    RAISE EXCEPTION 'content.type does not match';
  END IF;
  IF NEW.title IS NULL OR trim(NEW.title) = '' THEN
    NEW.title := NEW.type || ' - ' || NEW.created_at::text;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER validate_planning_data_trigger BEFORE INSERT OR UPDATE ON public.planning
  FOR EACH ROW EXECUTE FUNCTION public.validate_planning_data();

CREATE TABLE public.planning_audit_log (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  planning_id UUID NOT NULL,
  operation TEXT NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
  old_data JSONB,
  new_data JSONB,
  user_id UUID,
  ip_address INET,
  user_agent TEXT,
  created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX idx_planning_audit_log_planning_id ON public.planning_audit_log (planning_id);
CREATE INDEX idx_planning_audit_log_created_at ON public.planning_audit_log (created_at);
ALTER TABLE public.planning_audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Service role can access audit log" ON public.planning_audit_log FOR ALL TO service_role USING (true);

CREATE FUNCTION public.planning_audit_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    INSERT INTO public.planning_audit_log (planning_id, operation, old_data, new_data, user_id)
    VALUES (
      coalesce(NEW.id, OLD.id), TG_OP,
      CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
      CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END,
      coalesce(NEW.user_id, OLD.user_id)
    );
  EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'audit failed';
  END;
  RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER planning_audit AFTER INSERT OR UPDATE OR DELETE ON public.planning
  FOR EACH ROW EXECUTE FUNCTION public.planning_audit_trigger();
