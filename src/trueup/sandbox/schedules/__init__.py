"""Subscription schedules: what a subscription is going to be, and when."""
