"""A door over pipes as a process of its own, for clients that start their server: ``pipe_door.py SETTINGS COMMAND…``.

What ``watchword gate mcp`` does, at the time at which the test's homes stand.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from watchword.gate.mcp.conversation import Conversation, Door
from watchword.gate.mcp.lent import Lent
from watchword.statements.times import FixedClock
from watchword.web.mcp_pipe import serve

settings = json.loads(sys.argv[1])
lent = Lent(Path(settings["home"]), clock=FixedClock(datetime.fromisoformat(settings["now"])))
door = Door(lent, "mail", settings["release"], settings["mandate"], settings["page"])
try:
    code = serve(Conversation(door), sys.argv[2:], 0, 1)
finally:
    lent.close()
sys.exit(code)
