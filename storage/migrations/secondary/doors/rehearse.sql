-- The same over the rows with the keys of $2, as they are and with the faults of $3, sketched into tables of $4 cells.
SELECT jsonb_build_array(({as_they_are}), ({with_plants}))
