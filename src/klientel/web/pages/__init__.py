"""The pages: what people see of a workspace in a browser, made on the server."""
