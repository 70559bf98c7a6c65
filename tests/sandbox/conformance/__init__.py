"""The sandbox held against answers that Stripe gave: each recorded step is run alone, and its answer compared."""
