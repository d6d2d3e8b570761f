"""TLS: the name is verified although the address is what was connected to."""

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sources.address import Guard
from sources.errors import SourceError, Unreachable
from tests.sources.fetching import Reading
from tests.sources.provider import Provider, data, redirect, running

HOSTS = Guard(["good.example", "bad.example"], lambda host, port: ["127.0.0.1"])
BEARER = {"auth": {"kind": "bearer", "secret": "k"}, "secrets": {"k": "hidden"}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of good.example, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "good.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def provider(certificate: Path) -> Iterator[Provider]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running("good.example", context) as provider:
        yield provider


@pytest.fixture
def trusting(certificate: Path) -> dict[str, ssl.SSLContext]:
    return {"tls": ssl.create_default_context(cafile=certificate)}


def test_the_right_name_passes(provider: Provider, trusting: dict[str, ssl.SSLContext]) -> None:
    assert Reading().first(provider.on("/a", data([1])), guard=HOSTS, around=trusting) == b"[1]"


@pytest.mark.parametrize("host", ["bad.example", "127.0.0.1"])
def test_another_name_does_not(provider: Provider, trusting: dict[str, ssl.SSLContext], host: str) -> None:
    url = provider.on("/a", data([1])).replace("good.example", host)
    guard = Guard(["bad.example", "127.0.0.1"], lambda host, port: ["127.0.0.1"])
    with pytest.raises(SourceError, match=r"The certificate of https://.* is not valid: .*mismatch") as caught:
        Reading().first(url, guard=guard, around=trusting)
    assert (caught.value.code, provider.requests) == ("certificate", [])


def test_an_unknown_authority_does_not(provider: Provider, monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(SourceError, match="self-signed certificate") as caught:
        Reading().first(provider.on("/a", data([1])), guard=HOSTS)
    assert caught.value.code == "certificate"


def test_a_port_without_tls_is_said_to_be_one() -> None:
    with running("good.example") as plain, pytest.raises(Unreachable, match="No TLS connection") as caught:
        Reading().first(plain.url.replace("http:", "https:"), guard=HOSTS, attempts=1)
    assert caught.value.code == "tls"


def test_credentials_do_not_follow_to_where_there_is_no_tls(
    provider: Provider, trusting: dict[str, ssl.SSLContext]
) -> None:
    with running("good.example") as plain:
        url = provider.on("/a", redirect(plain.on("/b", data([2]))))
        with pytest.raises(SourceError, match="without TLS") as caught:
            Reading().first(url, guard=HOSTS, around=trusting, **BEARER)
        assert (caught.value.code, plain.requests) == ("redirect_refused", [])
        assert Reading().first(url, guard=HOSTS, around=trusting) == b"[2]"


def test_next_links_do_not_lead_to_where_there_is_no_tls(
    provider: Provider, trusting: dict[str, ssl.SSLContext]
) -> None:
    with running("good.example") as plain:
        url = provider.on("/a", data([1], Link=f'<{plain.on("/b", data([2]))}>; rel="next"'))
        with pytest.raises(SourceError, match="without TLS"):
            Reading().rows(url, guard=HOSTS, around=trusting, pagination={"kind": "link_header"}, **BEARER)
        assert plain.requests == []
