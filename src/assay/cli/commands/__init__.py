"""One file a command, each with `main(argv) -> exit status`; imported when its command is given."""
