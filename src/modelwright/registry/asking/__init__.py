"""The side of whoever asks a registry: find it, choose what to send, send, rehearse, read."""
