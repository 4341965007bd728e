"""Tensors as values: where each one's bytes stand, what they say of hidden payloads and damage, how far they moved.

For ``inspect --weights`` and ``inspect --against``. Finding them needs nothing; reading their numbers needs numpy (the
extra ``weights``), which is imported where numbers are read.
"""
