"""Files into the workspace, and out again."""
