"""May this workload start? Kubernetes asks before it writes one down; files answer, and no node is asked.

``review`` reads what the API server sends and says what it wants to hear, ``papers`` decides from a folder of proofs,
``door`` answers over HTTP.
"""
