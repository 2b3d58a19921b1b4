"""What releases and noisy steps cost: accountants, calibration, and the account of a training."""
