-- Whether writes are captured, and how many wait to be carried over.
BEGIN
  RETURN {state};
END
