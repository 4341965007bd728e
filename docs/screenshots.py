"""Take the pictures of the console that README and docs show: ``python docs/screenshots.py [FOLDER]``.

Plays the exercise (or takes its kept FOLDER), serves ALFA's node on a free port and photographs pages in headless
Chromium (``make heavy``; the system's chromium).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TO = ROOT / "docs" / "pictures"
WIDE, HIGH = 1200, 800


def main(folder: Path | None) -> int:
    """Write every picture; 0 when all are there."""
    with tempfile.TemporaryDirectory() as name:
        there = folder or Path(name) / "exercise"
        if folder is None:
            played = [sys.executable, "-m", "watchword", "demo", "--folder", str(there), "--keep"]
            subprocess.run(played, check=True)  # noqa: S603  # nothing of it comes from outside
        take(next(path for path in sorted(there.rglob("node.toml")) if "alfa" in path.parts).parent)
    return 0


def take(home: Path) -> None:
    """Serve the node in *home*, and photograph it."""
    from playwright.sync_api import sync_playwright

    from watchword.node import Node
    from watchword.web.console.access import link
    from watchword.web.console.door import console
    from watchword.web.serving import listen, server

    with Node.open(home) as here, sync_playwright() as driver:
        bound, ready = listen("127.0.0.1", 0), threading.Event()
        origin = f"http://localhost:{bound.getsockname()[1]}"
        running = server(console(here, origin, {})(here), None, None, ready.set)
        thread = threading.Thread(target=running.run, args=([bound],))
        thread.start()
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        try:
            ready.wait(60)
            TO.mkdir(exist_ok=True)
            page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
            page.goto(link(here, origin))
            page.click("button:has-text('Sign in to look')")
            for name, address, scheme in pictures(here):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{origin}/console{address}")
                page.screenshot(path=TO / f"{name}.png")
                print(f"wrote {(TO / f'{name}.png').relative_to(ROOT)}")
        finally:
            browser.close()
            running.should_exit = True
            thread.join()


def pictures(here: Any) -> list[tuple[str, str, str]]:
    """What to photograph: name, address, light or dark."""
    decisions = [s.statement for s in here.statements() if s.statement.kind == "decision"]
    refused = next((one for one in decisions if one.predicate["decision"]["verdict"] == "refused"), decisions[0])
    admitted = next(one for one in decisions if one.predicate["decision"]["verdict"] == "admitted")
    return [
        ("status", "/status", "light"),
        ("refused", f"/decisions/{refused.id}", "light"),
        ("release", f"/releases/{admitted.subject[0].digest}", "light"),
        ("trace", f"/traces/{admitted.id}", "dark"),
    ]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
