"""What the command can do, one file a noun."""
