"""Trackers of memray around code of this process, and what their files say."""
