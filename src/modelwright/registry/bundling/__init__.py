"""A release with everything it needs in one archive, for machines without a network."""
