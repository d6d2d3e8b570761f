"""Whom TLS connections to databases trust: drivers want a file, and do not look where systems keep it."""

import ssl
from pathlib import Path

from sources.errors import BadDefinition

KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def authorities_file() -> str:
    """What SSL_CERT_FILE names, else the system's. Raises BadDefinition when there is none."""
    found = ssl.get_default_verify_paths().cafile or next((name for name in KNOWN if Path(name).is_file()), None)
    if found is None:
        raise BadDefinition(
            "sslmode=verify-… needs certificates to trust, and there are none here: the operator of this service"
            " installs ca-certificates, or sets SSL_CERT_FILE."
        )
    return found
