"""File formats of the record log, one file per library; found by entry point in ``modelwright.recorders``."""
