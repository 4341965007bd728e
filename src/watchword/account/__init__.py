"""Whose word was it, and does it still stand: one file that re-checks decisions, bad news and receipts offline."""
