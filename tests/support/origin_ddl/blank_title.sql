-- A row that the forms without a rule on titles took.
INSERT INTO public.planning (id, type, title, content)
VALUES ('0a000000-0000-4000-8000-000000000005', 'prompt', ' ', '"{\"id\": \"0a000000-0000-4000-8000-000000000005\"}"');
