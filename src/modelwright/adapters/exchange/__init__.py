"""Exporters and importers: one file per system."""
