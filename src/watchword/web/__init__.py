"""The door for browsers and programs: HTTP. Async lives here and nowhere else; the rooms below stay plain functions.

* ``ledgers``   a node's ledgers as files, its witness, bodies for those in scope
* ``serving``   the process that answers: limits against hostile clients, TLS, ending in order
"""
