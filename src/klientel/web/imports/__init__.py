"""Imports into the workspace: tried on the whole file, committed in one step, listed, undone."""
