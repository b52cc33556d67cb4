-- Rows that every one of these forms took, old habits included: a status of before, a version and times of NULL.
INSERT INTO public.planning (id, type, title, content, status, user_id, version, created_at, updated_at)
SELECT id, type, title, jsonb_build_object('id', id, 'type', type, 'title', title), status, user_id, version, created, updated
FROM (VALUES
  ('0a000000-0000-4000-8000-000000000001'::uuid, 'story', '봄의 이야기', 'draft',
   '11111111-0000-4000-8000-000000000001'::uuid, 1, '2025-09-18 01:02:03.456+00'::timestamptz, '2025-09-18 02:00:00+00'::timestamptz),
  ('0a000000-0000-4000-8000-000000000002', 'scenario', 'Old word', 'in-progress',
   '22222222-0000-4000-8000-000000000002', 2, '2025-09-18 03:00:00+00', '2025-09-18 03:00:00.123456+00'),
  ('0a000000-0000-4000-8000-000000000003', 'image', 'A guest 🎬', 'completed',
   NULL, NULL, NULL, NULL),
  ('0a000000-0000-4000-8000-000000000004', 'video', 'Failed', 'failed',
   '11111111-0000-4000-8000-000000000001', 3, '2025-09-19 03:00:00+00', '2025-09-19 04:00:00+00')
) AS rows (id, type, title, status, user_id, version, created, updated);
