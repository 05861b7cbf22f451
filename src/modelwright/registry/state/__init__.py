"""What a registry remembers: projects, placements, evidence, tokens, and the log, in one transaction."""
