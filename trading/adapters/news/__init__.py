"""Providers of news: one file each, with what they share in ``errors`` and ``http``."""
