"""An open node: its home, its ledgers, its keys; joining an alliance, exchange by file, proofs.

* ``home``    the folder, its keys, who it belongs to
* ``adopt``   ratify and adopt a charter; an alliance of one; signing without recording
* ``store``   what is on its disk, read as views and facts
* ``node``    sign and append, publish and cosign, the gate's record
* ``carry``   exchange files, written and taken in
* ``receipts``  what the gate decided: durable at once, in the record later
* ``renewing``  keys and ledgers for the next charter
* ``backup``  the folder as one file, and back
* ``proofs``  files that re-check decisions offline
"""

from watchword.node.adopt import CannotAdopt, RatifiedAnother, adopt, found_alone, ratify, sign_only
from watchword.node.backup import Backup, BadBackup, back_up, restore
from watchword.node.carry import BadExchange, Imported
from watchword.node.home import (
    BusyNode,
    NoHome,
    create,
    create_receiver,
    create_supplier,
    enrolment,
    find_home,
    is_closing,
    read_home,
)
from watchword.node.node import Node
from watchword.node.proofs import CannotProve
from watchword.node.recorded import DamagedHome, HeadShown, Located, NotHere, Recorded
from watchword.node.renewing import add_passkey, begin_anew, drop_passkey, known_ends, renew, retire, what_next

__all__ = [
    "Backup",
    "BadBackup",
    "BadExchange",
    "BusyNode",
    "CannotAdopt",
    "CannotProve",
    "DamagedHome",
    "HeadShown",
    "Imported",
    "Located",
    "NoHome",
    "Node",
    "NotHere",
    "RatifiedAnother",
    "Recorded",
    "add_passkey",
    "adopt",
    "back_up",
    "begin_anew",
    "create",
    "create_receiver",
    "create_supplier",
    "drop_passkey",
    "enrolment",
    "find_home",
    "found_alone",
    "is_closing",
    "known_ends",
    "ratify",
    "read_home",
    "renew",
    "restore",
    "retire",
    "sign_only",
    "what_next",
]
