"""Timings in processor seconds, medians of repeated measurements."""
