"""Budgets, accounting, mechanisms and the ledger of what has been spent."""
