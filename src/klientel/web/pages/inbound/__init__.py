"""Forms on web sites: the public ones, and the page on which they are made."""
