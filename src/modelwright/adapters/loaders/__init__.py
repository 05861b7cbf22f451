"""Loading halves of the formats: one file each, copied verbatim beside the runtime into every package."""
