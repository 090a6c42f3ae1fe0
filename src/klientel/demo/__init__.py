"""A simulated firm with a known truth."""
