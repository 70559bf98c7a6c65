"""The server: one engine that does one thing after another, and HTTP before it."""
