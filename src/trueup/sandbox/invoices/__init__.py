"""Invoices: their items and lines, drafts, numbers, payment, retries and credit notes."""
