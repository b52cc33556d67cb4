"""twinstore: the same records in two stores, proven equal. This is the door for applications."""
