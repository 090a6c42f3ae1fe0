"""Forecasts of orders and spend from grouped histories: candidates, hold-out, spend, simulation (handbook B11, F)."""
