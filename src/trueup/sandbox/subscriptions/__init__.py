"""Subscriptions: what is billed again and again, how it begins, changes, pauses and ends."""
