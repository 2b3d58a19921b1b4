"""Lightning callbacks, one a file, each usable by itself in anyone's Trainer."""
