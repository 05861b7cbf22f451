"""The only place where heavy libraries are imported: one file, one library, found by entry point."""
