"""The same three answers, written by hand for other engines; each returns Arrow tables and nothing else."""
