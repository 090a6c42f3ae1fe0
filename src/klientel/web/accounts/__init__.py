"""Who works with the workspace: users, teams, what each may do."""
