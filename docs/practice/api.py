"""A chat API to practise on: shouts back what it is asked, or whispers it once a file ``changed`` stands beside.

Prints its address and answers for ten minutes at most.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Chat(BaseHTTPRequestHandler):
    """OpenAI-compatible as far as one question and one answer go."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"][0]["content"]
        said = asked.lower() if Path("changed").exists() else asked.upper()
        data = json.dumps({"choices": [{"message": {"content": said, "role": "assistant"}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return


server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
print(f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions", flush=True)
end = threading.Timer(600, server.shutdown)
end.daemon = True
end.start()
server.serve_forever()
