"""The record log: every prediction, as far as its columns may be kept, in files that monitoring reads."""
