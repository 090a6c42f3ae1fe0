"""Long work outside of requests: jobs as rows, one worker that does them, progress that everybody can see."""
