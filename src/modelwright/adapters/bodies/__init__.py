"""Bodies of requests and answers that need a library; one file per library, found by entry point."""
