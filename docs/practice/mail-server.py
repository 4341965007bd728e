"""A mail server's tools, for practice: speaks MCP over stdio just far enough to list them."""

import json
import sys

TEXT = {"type": "string"}
TOOLS = [
    {
        "name": "read-mail",
        "description": "The mails of a folder.",
        "inputSchema": {"type": "object", "properties": {"folder": TEXT}},
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "send-mail",
        "description": "Sends a mail.",
        "inputSchema": {"type": "object", "properties": {"to_email": TEXT, "text": TEXT}},
        "annotations": {"destructiveHint": False},
    },
]

for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "mail"}}
    elif message["method"] == "tools/list":
        result = {"tools": TOOLS}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
