"""Load a model package and predict with it, using the standard library only.

For: every packaged model. Capture copies this folder verbatim into the model folder (as ``_runtime``), so a
wheel runs where modelwright was never installed. Called by the generated ``__init__`` and ``__main__`` of the
model folder, by :func:`modelwright.load` and by the child processes of capture and verify.

It does not: import anything outside the standard library when it is imported, import modelwright (all imports
in here are relative), read environment variables outside its command line, or write into an installed package.
"""
