"""Leads that come in by themselves: forms on web sites, guarded against machines."""
