"""Observers of requests, one file per library; found by entry point in ``modelwright.observers``."""
