"""The Model Context Protocol at a gate: what each message asks for, who decides on it, and what its asker is told.

No transport is in this room: ``watchword.web`` has the pipes and the sockets.

* ``message``       one JSON-RPC message, within bounds
* ``methods``       every method of the protocol: an action, or passed, and as what
* ``conversation``  one client, one server, one session: what goes to whom
* ``telling``       denials and holds, in the words of either era of the protocol
* ``lent``          the gate of a node, opened when it is needed and given back
"""
