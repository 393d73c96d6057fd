"""Have an authority stamp a checkpoint with the time (RFC 3161), and check the stamp when it comes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from consent_service.anchor_settings import Authority
from consent_service.ledger.post import NotDelivered, post

MAX_REPLY: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stamp:
    """Hold the authority's reply, byte for byte; `problem` says why it could not be checked here, None when it was."""

    token: bytes
    problem: str | None


def request_stamp(note: str, authority: Authority) -> Stamp:
    """Give the authority's stamp over a note (its UTF-8 bytes, SHA-256).

    Raises NotDelivered when it did not answer or refused, or when the stamp is proven wrong. A reply that is not the
    strict DER which the library reads is kept all the same: `openssl ts -verify` reads it.
    """
    data = note.encode()
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    reply = post(authority.url, request.as_bytes(), headers, MAX_REPLY)
    try:
        response = decode_timestamp_response(reply)
        status = response.status
    except ValueError as error:
        return _unread(reply, data, error)
    if status != 0:
        reasons = "; ".join(response.status_string) or f"status {status}"
        raise NotDelivered(f"the authority refused: {reasons}")
    _verify(response, data, load_pem_x509_certificates(authority.roots), request.nonce)
    return Stamp(reply, None)


def _unread(reply: bytes, data: bytes, error: ValueError) -> Stamp:
    # A page of an error or of a proxy holds no hash of ours; a stamp does, in plain sight.
    if sha256(data).digest() not in reply:
        raise NotDelivered("the answer is no timestamp of this checkpoint") from error
    return Stamp(reply, f"it is not strict DER ({error}); check it with: openssl ts -verify")


def _verify(response: TimeStampResponse, data: bytes, roots: list[Certificate], nonce: int | None) -> None:
    try:
        VerifierBuilder(roots=roots, nonce=nonce).build().verify_message(response, data)
    except VerificationError as error:
        raise NotDelivered(f"the stamp does not hold: {error}") from error
