"""Engines beside the embedded one: how they are addressed, reached, and made to give the same numbers."""
