"""Bytes to tables: read what a request sends, strictly and at once, or say everything that is wrong with it."""
