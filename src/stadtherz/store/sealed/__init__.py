"""Readings for good: columns as bytes, chunks of some two thousand, their hours, and chunks in the database."""
