"""The workspace and, on it, the web application: the only code that imports Django."""
