"""Batched solvers of models that are fitted many times."""
