"""Lists, single records, boards, duplicates."""
