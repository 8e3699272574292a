"""Readers see all of a write or nothing of it."""
