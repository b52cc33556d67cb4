-- Which columns the row of a conflict has, in its order: the contract may have others when somebody decides. NULL: it
-- was kept before this was remembered.
ALTER TABLE twinstore.conflict ADD COLUMN IF NOT EXISTS columns text[];
