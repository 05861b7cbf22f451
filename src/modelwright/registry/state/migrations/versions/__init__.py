"""One module per change of the tables; released ones are never edited."""
