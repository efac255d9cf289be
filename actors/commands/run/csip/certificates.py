"""The certificate of a site: who it says that the site is, and whether it can be used today."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.errors import UsageError
from orchestrator.setpoints.csip.identity import Identity

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=1"
"""What IEEE 2030.5 demands (AES128-CCM8, whose short tag OpenSSL counts as level 0 or 1), and better ones."""


class CertificateRefused(UsageError):
    """A certificate, its key, or the authorities of the server cannot be used."""


def identity_of(path: str | Path) -> Identity:
    """The LFDI and SFDI of the first certificate in a PEM file. Raises CertificateRefused."""
    return Identity.of_certificate(_certificate(path).public_bytes(Encoding.DER))


def check_certificate(section: CsipAusSource, now: datetime) -> Identity:
    """Who the site is by its certificate. Raises CertificateRefused where it is expired or of another site."""
    certificate = _certificate(section.certificate_file)
    if certificate.not_valid_after_utc <= now:
        raise CertificateRefused(
            f"{section.certificate_file}: the certificate has expired on {certificate.not_valid_after_utc:%Y-%m-%d}; "
            "ask the network for a new one"
        )
    if certificate.not_valid_before_utc > now:
        raise CertificateRefused(
            f"{section.certificate_file}: the certificate holds from {certificate.not_valid_before_utc:%Y-%m-%d} on; "
            "is the clock of this machine right?"
        )
    identity = Identity.of_certificate(certificate.public_bytes(Encoding.DER))
    if section.expected_lfdi not in (None, identity.lfdi):
        raise CertificateRefused(
            f"{section.certificate_file}: the certificate is that of another site: its LFDI is {identity.grouped}, and "
            f"setpoints.csip_aus.lfdi is {section.lfdi}"
        )
    return identity


def tls_context(section: CsipAusSource) -> ssl.SSLContext:
    """TLS 1.2 or later, with both certificates. Raises CertificateRefused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(section.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise CertificateRefused(
            f"{section.ca_file}: no certificates of authorities can be read ({_why(error)})"
        ) from error
    try:
        context.load_cert_chain(section.certificate_file, section.key_file, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise CertificateRefused(
            f"{section.key_file}: it is no key of {section.certificate_file}, or cannot be read ({_why(error)})"
        ) from error
    return context


def _certificate(path: str | Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes())
    except OSError as error:
        raise CertificateRefused(f"{path}: the certificate cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise CertificateRefused(f"{path}: there is no certificate in PEM format") from error


def _why(error: OSError) -> str:
    """In a few words."""
    reason = getattr(error, "reason", None)
    return str(reason or error.strerror or error).lower().replace("_", " ")
