"""Sign-in, one's own account, users, teams and rights."""
