"""Pictures, reports and workbooks made from results."""
