"""What is in a package: frozen, typed data without I/O.

For: every layer above. The structs here are the published format (``manifest.json``, ``scenarios.jsonl``,
``profile.json``); their JSON Schema is generated from them (:mod:`modelwright.spec.schema`), and the rule for
changing them stands in :mod:`modelwright.spec.manifest`.

It does not: touch files, import a model or a library, or decide anything about a live process.
"""
