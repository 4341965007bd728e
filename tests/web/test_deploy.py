"""What docs/deploy gives to those who run a node: its files work as they stand, its tables say what the code does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watchword import limits
from watchword.cli import parser

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
INSTALLED = "/opt/watchword/bin/watchword"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_units_are_understood_by_systemd_and_leave_a_service_little_to_harm(tmp_path: Path) -> None:
    """It knows every line (``verify`` is silent), and calls the exposure of each 1.5 of 10."""
    command = Path(sys.prefix) / "bin" / "watchword"
    for one in [*UNITS, *DEPLOY.glob("*.timer")]:
        (tmp_path / one.name).write_text(one.read_text("utf-8").replace(INSTALLED, str(command)))
    paths = sorted(tmp_path.iterdir())
    told = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert [line for line in told.stderr.splitlines() if str(tmp_path) in line] == []
    assert told.returncode == 0
    for one in UNITS:
        ask = ["systemd-analyze", "security", "--offline=true", "--no-pager", tmp_path / one.name]
        told = subprocess.run(ask, capture_output=True, text=True, check=False)
        assert "exposure level for" in told.stdout and ": 1.5 OK" in told.stdout.splitlines()[-1], told.stdout


def test_units_and_the_container_start_commands_that_there_are() -> None:
    """Each ExecStart, with the options that the page suggests, is a command line that watchword takes."""
    found = []
    serve, gate = ["--origin", "https://alfa.example", "--metrics", "9440"], ["--of", "sha256:" + "0" * 64]
    more = {"$SERVE": serve, "$GATE": gate, "$BACKUP": ["--without-keys"]}
    for one in UNITS:
        for line in re.findall(r"^ExecStart=(.*)$", one.read_text("utf-8"), re.MULTILINE):
            first, *words = shlex.split(line.replace("%S", "/var/lib").replace("%i", "alfa").replace("%d", "/run"))
            args = parser().parse_args([real for word in words for real in more.get(word, [word])])
            found.append((first, args.run))
    container = (DEPLOY / "Containerfile").read_text("utf-8")
    words = [word for name in ("ENTRYPOINT", "CMD") for word in re.findall(r'"([^"]*)"', _line(container, name))]
    found.append((words[0], parser().parse_args(words[1:]).run))
    assert found == [
        (INSTALLED, "backup:run"), (INSTALLED, "authzen:run"), (INSTALLED, "serve:run"), (INSTALLED, "ledger:sync"),
        (INSTALLED, "ledger:witness"), (INSTALLED, "serve:run"),
    ]  # fmt: skip


def test_an_image_is_made_of_the_wheelhouse_alone_and_runs_as_nobody() -> None:
    """What installs is what the page on installing shows (and what is run before each change lands)."""
    container = (DEPLOY / "Containerfile").read_text("utf-8")
    page = (DEPLOY / "install.md").read_text("utf-8")
    shown = re.search(r"^python3 -m venv.*?(?=^~/watchword/bin/watchword --version)", page, re.MULTILINE | re.DOTALL)
    assert shown is not None
    runs = re.findall(r"^RUN (.*)$", container, re.MULTILINE)
    assert runs == [
        line.replace("~/watchword", "/opt/watchword").replace("wheelhouse/", "/wheelhouse/").replace(
            "--find-links wheelhouse ", "--find-links /wheelhouse "
        )
        for line in shown[0].splitlines()
    ]  # fmt: skip
    assert _line(container, "USER").split(":")[0].strip() == "65532"
    assert not re.search(r"^(ADD|RUN .*(curl|wget|apt))", container, re.MULTILINE)


def test_the_table_of_ports_is_that_of_the_commands() -> None:
    """Each command that listens by itself stands there with its port, and listens on loopback."""
    page = (DEPLOY / "services.md").read_text("utf-8")
    said = dict(re.findall(r"^\| `watchword ([a-z ]+)` \| (\d+) \|", page, re.MULTILINE))
    found = {}
    for words in (*said, "gate authzen", "gate page", "serve", "kubernetes serve"):
        needed = {
            "gate authzen": ["--of", "x", "--token-file", "x"],
            "kubernetes serve": ["--papers", "x", "--charter", "x", "--member", "x", "--use", "x"],
        }.get(words, [])
        args, _ = parser().parse_known_args([*words.split(), *needed])
        found[words] = str(args.port)
        assert args.host == "127.0.0.1", words
    assert said == found


def _line(text: str, name: str) -> str:
    found = re.search(rf"^{name} (.*)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


# -- behind a proxy ---------------------------------------------------------------------------------------------


@dataclass
class Proxied:
    """A node behind nginx. ``tls`` and ``plain``: the ports of nginx; ``direct``: the node's own address."""

    direct: str
    tls: int
    plain: int

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> Any:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(f"https://127.0.0.1:{self.tls}{path}", data)
        for name, value in ({"Host": "alfa.example"} | headers).items():
            request.add_header(name, value)
        try:
            return urllib.request.urlopen(request, timeout=60, context=trusting)
        except urllib.error.HTTPError as error:
            return error


@pytest.fixture
def proxied(served: Callable[[str], str], tmp_path: Path) -> Any:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not on this machine")
    direct = served("ALFA")
    tls, plain = free_port(), free_port()
    key, certificate = tmp_path / "alfa.key", tmp_path / "alfa.pem"
    _self_signed(key, certificate)
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for old, new in (
        ("listen [::]:80;", ""), ("listen [::]:443 ssl http2;", ""), ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{tls} "), ("/etc/ssl/alfa.pem", str(certificate)),
        ("/etc/ssl/alfa.key", str(key)), ("127.0.0.1:8440", direct.removeprefix("http://").rstrip("/")),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    (tmp_path / "site.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    aside = " ".join(f"{name}_temp_path {tmp_path};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {aside}\ninclude {tmp_path}/site.conf; }}\n"
    )
    command = [nginx, "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(600):
            with socket.socket() as one:
                one.settimeout(0.1)
                if one.connect_ex(("127.0.0.1", tls)) == 0:
                    break
            assert process.poll() is None, process.communicate()[1]
        yield Proxied(direct, tls, plain)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_what_a_node_serves_passes_the_proxy_unchanged(proxied: Proxied) -> None:
    """Heads, byte for byte, over TLS 1.3; plain HTTP is sent there; browsers are told to come by TLS from then on."""
    with urllib.request.urlopen(proxied.direct + "heads", timeout=60) as answer:
        direct = answer.read()
    answer = proxied.ask("/heads")
    assert (answer.status, answer.read()) == (200, direct)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    with socket.create_connection(("127.0.0.1", proxied.plain), timeout=60) as one:
        one.sendall(b"GET /heads HTTP/1.1\r\nHost: alfa.example\r\nConnection: close\r\n\r\n")
        head = one.recv(4096).decode()
    assert head.startswith("HTTP/1.1 308") and "https://alfa.example/heads" in head


def test_the_proxy_lets_through_what_a_node_takes_and_no_more(proxied: Proxied) -> None:
    """The largest request that any page takes reaches the node, which answers for itself; a larger one does not."""
    largest = max(limits.CONSOLE_UPLOAD_BYTES_MAX, limits.DEMAND_BYTES_MAX, limits.REVIEW_FORM_BYTES_MAX)
    refused = proxied.ask("/nothing-here", b"x" * largest)
    assert (refused.status, refused.read()) == (404, b"Not Found")  # nginx would say it in HTML
    assert proxied.ask("/nothing-here", b"x" * (5 * 1024 * 1024 + 1)).status == 413


def _self_signed(key: Path, certificate: Path) -> None:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alfa.example")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, private.public_key(), 1, begin, begin + datetime.timedelta(days=36500))
    certificate.write_bytes(made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(pem, form, serialization.NoEncryption()))
