"""Payments: intents, charges, refunds, disputes, and the balance that they move."""
