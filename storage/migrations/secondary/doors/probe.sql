-- Both hashes of one known record.
SELECT jsonb_build_array(h1::text, h2::text) FROM ({probed}) AS probed
