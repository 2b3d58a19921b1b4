"""Values along one-pass gradient descent, with or without privacy: rows, sources, and clients of a federated training."""
