"""Scaling laws for the value of individual data points (arXiv 2405.20456): claims and tables."""
