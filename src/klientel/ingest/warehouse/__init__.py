"""Tables that stay on their own engine: recognised by a sample, read there as expressions, never copied."""
