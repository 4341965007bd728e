"""Statements: signed facts. Kinds, canonical bytes, DSSE, signing keys, digests, manifests.

The byte formats are those of docs/protocol.md, sections 1 to 5.
"""
