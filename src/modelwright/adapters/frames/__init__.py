"""Tables as bytes on their way to a server, and answers on their way back: one file per library."""
