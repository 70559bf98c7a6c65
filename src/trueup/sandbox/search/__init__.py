"""Stripe's search: its query language, and an index that lags behind."""
