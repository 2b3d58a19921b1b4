"""Figures, one family a file; they read tables alone."""
