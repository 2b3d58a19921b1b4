"""Laws by which one bounded number of each row is released; all are unbiased for it."""
