"""A stateful local Stripe with a test clock: an HTTP server that the official SDKs drive unchanged."""
