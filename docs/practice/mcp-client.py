"""A client for practice: starts a command, asks it what a file says, line by line, and prints each answer."""

import subprocess
import sys
from pathlib import Path

server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
    server.stdin.write(line + "\n")
    server.stdin.flush()
    print(server.stdout.readline(), end="", flush=True)
server.stdin.close()
sys.exit(server.wait())
