CREATE TYPE public.quality AS ENUM ('raw', 'checked', 'rejected');
CREATE TABLE public.readings (
    taken_at timestamptz NOT NULL,
    sensor_id uuid NOT NULL,
    seq bigint NOT NULL,
    label text NOT NULL,
    value numeric,
    counter bigint NOT NULL,
    tags text[],
    history numeric(30, 10)[],
    valid boolean NOT NULL,
    payload bytea,
    day date NOT NULL,
    quality public.quality NOT NULL,
    doubled numeric GENERATED ALWAYS AS (value * 2) STORED,
    PRIMARY KEY (sensor_id, seq, label)
);
ALTER TABLE public.readings ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.readings TO service_role;
