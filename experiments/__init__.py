"""Papers reproduced, and benchmarks."""
