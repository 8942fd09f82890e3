"""Backups that were restored before they count, and the way back from one."""
