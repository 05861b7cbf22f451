"""Canary, A/B and shadow as state machines: data in, decision out; no clock, no socket."""
