"""Releases of single rows: mechanisms, their accounts, and the reuse of past releases."""
