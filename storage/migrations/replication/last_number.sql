(SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM twinstore.change_id_seq)
