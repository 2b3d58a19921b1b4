"""Laws of what a row adds to k rows: estimators, their forms, and the valuator that reads values off them."""
