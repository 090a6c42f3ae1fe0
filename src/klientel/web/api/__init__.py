"""The API: records, analyses and what changed, as JSON, for programs that hold a person's token."""
