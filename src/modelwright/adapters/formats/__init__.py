"""Saving halves of the formats: one file per format."""
