-- The same for whoever asks at a write: of what waits nothing is counted but whether there is any.
BEGIN
  RETURN {state_uncounted};
END
