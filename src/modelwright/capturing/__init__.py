"""From a live model to a model folder: signature, code, environment, scenarios, profile, evaluation, card.

For: :func:`modelwright.capture`. The only part, with the runtime, that touches a live model.
It does not: build wheels (:mod:`modelwright.building`) or know a library (:mod:`modelwright.adapters`).
"""
