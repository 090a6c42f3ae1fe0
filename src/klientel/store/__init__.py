"""Facts in Delta tables: what machines append, kept in versions."""
