"""Values of training rows: semivalues and the utilities behind them."""
