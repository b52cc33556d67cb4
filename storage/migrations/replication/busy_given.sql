(EXISTS (SELECT FROM twinstore.change AS line  -- the primary has not judged it, or not when this was sent
         WHERE line.dataset = {dataset} AND line.key = given.key AND line.id > given.seen)
 OR EXISTS (SELECT FROM twinstore.row_state AS state
            WHERE state.dataset = {dataset} AND state.key = given.key AND state.lseq > given.seen
              AND state.lseq > {base}))
