"""Decisions, in pure code: gates, access, honest versions. Data in, decision out; no clock, no disk."""
