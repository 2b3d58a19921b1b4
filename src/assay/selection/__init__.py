"""Choice of rows under a budget of rows."""
