"""Faster forms of fitted models: a folder each, copied verbatim beside the runtime into packages that may use it."""
