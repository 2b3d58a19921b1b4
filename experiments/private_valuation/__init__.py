"""Checks behind figures of the README."""
