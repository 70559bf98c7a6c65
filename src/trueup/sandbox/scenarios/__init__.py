"""Named lives of customers, lived through the API: for demos, tests and load."""
