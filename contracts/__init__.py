"""Values and rules that everything else shares: no I/O, no clock."""
