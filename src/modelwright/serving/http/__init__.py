"""The HTTP doors: the protocol with its limits, the routes, the statuses, the admin door."""
