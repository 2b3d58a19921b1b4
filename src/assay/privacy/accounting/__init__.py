"""Accountants: from noisy steps to epsilon, and from a budget to the noise of the steps that it allows."""
