"""What each training row is worth: semivalues and the utilities behind them."""
