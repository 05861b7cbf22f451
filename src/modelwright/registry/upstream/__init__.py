"""Another index behind this one: its pages and files, fetched once, checked against what was announced, and kept."""
