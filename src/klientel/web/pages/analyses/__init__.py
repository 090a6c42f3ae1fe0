"""A page for every analysis, made from its declaration."""
