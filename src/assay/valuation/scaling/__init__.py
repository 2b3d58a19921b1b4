"""What a row adds to a model, as a function of how many rows the model already has.

Source: Covert, Ji, Hashimoto & Zou 2024 (arXiv 2405.20456). The mean marginal contribution of a row z to k random rows,
psi_k(z), is close to c(z) / k^alpha(z).
"""
