"""Renderbell: watches AI video providers and rings when a video is done."""

USER_AGENT = "Renderbell/0.1"
"""How providers and receivers see who calls."""
