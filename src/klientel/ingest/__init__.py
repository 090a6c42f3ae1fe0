"""Intake: from any customer file to canonical tables, with every row accepted or rejected by name."""
