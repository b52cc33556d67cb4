CREATE TYPE "Quality" AS ENUM ('raw', 'checked', 'rejected');
CREATE TABLE "Reading" (
    "sensorId" text NOT NULL,
    "seq" bigint NOT NULL,
    "label" text NOT NULL,
    "value" numeric(38, 20),
    "counter" bigint NOT NULL,
    "tags" text[],
    "history" numeric[],
    "valid" boolean NOT NULL,
    "payload" bytea,
    "day" date NOT NULL,
    "quality" "Quality" NOT NULL,
    "doubled" numeric GENERATED ALWAYS AS ("value" * 2) STORED,
    "takenAt" timestamp(6) NOT NULL,
    PRIMARY KEY ("sensorId", "seq", "label")
);
