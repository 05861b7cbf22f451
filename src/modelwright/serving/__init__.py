"""Serving: one data plane, many transports, any number of versions, each in an environment of its own.

The flow of a request::

    transport ─► intake ─► data plane ─► router ─► batcher ─► worker ─► answering ─► transport
    (http, grpc)  (bytes to   (judged)     (which     (what is   (a process   (values to
                  a table)                  variant)   queued)    of its own)  bytes)

The flow of a version::

    reference ─► environment ─► worker ─► warm ─► ready ─► the pointer is swapped ─► the old one drains
"""
