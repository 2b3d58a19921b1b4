"""Marginal contributions of points to random subsets: subsets, solvers, and where they are sampled."""
