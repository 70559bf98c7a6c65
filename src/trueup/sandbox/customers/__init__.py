"""Customers: who pays, what they owe or have left, their tax ids."""
