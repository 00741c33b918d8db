"""The `renderbell` command."""
