"""Long work, seen while it runs and after it."""
