"""Everything known about one customer on one page."""
