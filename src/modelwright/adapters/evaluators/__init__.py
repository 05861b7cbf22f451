"""Measuring quality with a library: one file per library."""
