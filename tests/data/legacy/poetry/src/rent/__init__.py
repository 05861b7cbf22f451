"""Rent."""
