"""The account that a sandbox plays."""
