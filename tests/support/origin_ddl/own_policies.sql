-- Policies of the forms m1 and c1: everybody's own rows.
CREATE POLICY "Users can view own planning data" ON public.planning FOR SELECT
  USING (auth.uid() IS NOT NULL AND user_id = auth.uid());
CREATE POLICY "Users can insert own planning data" ON public.planning FOR INSERT
  WITH CHECK (auth.uid() IS NOT NULL AND user_id = auth.uid());
CREATE POLICY "Users can update own planning data" ON public.planning FOR UPDATE
  USING (auth.uid() IS NOT NULL AND user_id = auth.uid());
CREATE POLICY "Users can delete own planning data" ON public.planning FOR DELETE
  USING (auth.uid() IS NOT NULL AND user_id = auth.uid());
