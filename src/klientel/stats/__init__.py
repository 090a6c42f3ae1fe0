"""Statistics on NumPy and SciPy only: intervals, inequality, and later models."""
