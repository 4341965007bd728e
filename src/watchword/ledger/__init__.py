"""Who says so, can they take it back unseen, and what are they *not* showing?

A ledger is a member's append-only transparency log (C2SP tlog-tiles); other members cosign its heads. The lower half:

* ``merkle``      hashes, proofs, verification (RFC 9162); pure
* ``notes``       C2SP signed notes and verifier keys; pure
* ``checkpoint``  heads: signed by the log, cosigned by witnesses; pure
* ``tiles``       paths and contents of tiles and entry bundles
* ``durable``     what reaches the disk before we say so
* ``intake``      the private append-only file that an acknowledgement rests on
* ``group``       appends that wait together share one sync
* ``heads``       the last head, apart from its ledger, so that a restored backup cannot fork it
* ``log``         one ledger in a folder: one writer, many readers; own or mirrored
* ``check``       everything rebuilt from the entries and compared
* ``witness``     cosigns heads of others, never two that disagree
"""
