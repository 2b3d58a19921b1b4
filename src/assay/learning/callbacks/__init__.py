"""Lightning callbacks, one a file, each usable alone in anyone's Trainer."""
