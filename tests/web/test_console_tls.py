"""Client certificates over real TLS: who was named gets in, who was not is turned away before anything is asked."""

from __future__ import annotations

import datetime
import http.client
import ssl
import tempfile
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from gate.gated import ALONE, FAST, gated

pytest.importorskip("starlette", reason="what `serve` needs is not installed")

from watchword.node import Node


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )  # fmt: skip
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_a_client_certificate_opens_what_its_name_may_read() -> None:
    """The official's shows the status; none shows nothing; a stranger's ends the connection.

    Seen to fail without ``WithCertificate``.
    """
    from watchword.web.console.door import console
    from watchword.web.serving import listen, server

    with tempfile.TemporaryDirectory(prefix="watchword-tls-", dir=FAST) as name:
        folder = Path(name)
        here = gated(folder, ALONE)
        (cert, key), mine = certificate(folder, "localhost"), certificate(folder, "official")
        stranger = certificate(folder, "stranger")
        bound, ready = listen("127.0.0.1", 0), threading.Event()
        origin = f"https://localhost:{bound.getsockname()[1]}"
        reader = Node.open(here.folder / "ALFA", clock=here.clock)
        application = console(reader, origin, {"official": str(mine[0])})(reader)
        running = server(application, cert, key, ready.set, clients=[str(mine[0])])
        thread = threading.Thread(target=running.run, args=([bound],))
        thread.start()

        def status(shown: tuple[Path, Path] | None) -> tuple[int, str]:
            context = ssl.create_default_context(cafile=str(cert))
            if shown is not None:
                context.load_cert_chain(*shown)
            client = http.client.HTTPSConnection("localhost", bound.getsockname()[1], context=context, timeout=60)
            try:
                client.request("GET", "/console/status")
                answer = client.getresponse()
                return answer.status, answer.read().decode()
            finally:
                client.close()

        try:
            assert ready.wait(60)
            code, text = status(mine)
            assert code == 200 and "official of ALFA, by certificate" in text
            assert status(None)[0] == 401
            with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
                status(stranger)
        finally:
            running.should_exit = running.force_exit = True
            thread.join()
            reader.close()
            here.close()
