"""Who is told of changes: signed webhooks and feeds."""
