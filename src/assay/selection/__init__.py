"""Which rows to take, under a budget of rows."""
