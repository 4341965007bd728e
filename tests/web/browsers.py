"""A page in headless Chromium whose authenticator is virtual: it holds the devices that a test gives it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from devices import Device

from watchword.statements.digests import b64

CHROMIUM = shutil.which("chromium")


@contextmanager
def started() -> Iterator[Any]:
    """Chromium; skips by name where it or what drives it is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as one:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = one.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@dataclass
class Browser:
    """A page in Chromium with one virtual authenticator that knows DEVICE."""

    page: Any
    control: Any
    authenticator: str
    fetched: list[str]

    def answer(self, address: str, answer: str) -> str:
        self.page.goto(address)
        return self.press(f"button[data-answer={answer}]")

    def press(self, selector: str) -> str:
        self.page.click(selector)
        self.page.wait_for_selector("#told.done, #told.failed", timeout=20_000)
        return str(self.page.inner_text("#told"))

    def tell(self, command: str, **told: Any) -> Any:
        return self.control.send(f"WebAuthn.{command}", {"authenticatorId": self.authenticator, **told})


def opened(chromium: Any, *known: Device, **options: Any) -> Browser:
    context = chromium.new_context()
    page = context.new_page()
    control = context.new_cdp_session(page)
    control.send("WebAuthn.enable")
    about = {
        "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = control.send("WebAuthn.addVirtualAuthenticator", {"options": about | options})
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    browser = Browser(page, control, made["authenticatorId"], seen)
    for device in known:
        credential = {
            "credentialId": b64(device.id), "isResidentCredential": False, "rpId": "localhost",
            "privateKey": b64(device.private_key), "signCount": 1,
        }  # fmt: skip
        browser.tell("addCredential", credential=credential)
    return browser
