"""Renderbell: watches AI video providers and rings when a video is done."""
