"""The demo's story (:mod:`.chapters`) and how it is told (:mod:`.telling`).

The folder ``scripts`` is data, not code of ours: the demo copies what is in it into its own folder and runs it there
as a reader would.
"""
