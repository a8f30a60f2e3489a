"""The secrets of an installation on one machine: made once, kept beside its data, for its owner's eyes."""

import base64
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from libs.stack.errors import StackError

#: Whoever signs internal tokens.
ISSUERS = ("gateway", "ledger", "risk", "credit", "dunning", "sandbox")


def make_key_pairs(directory: Path, issuers: Iterable[str] = ISSUERS) -> None:
    """Make the Ed25519 pair of each issuer that has none, in PEM: `<issuer>.key` (PKCS 8) and `<issuer>.pub`.

    Raises StackError for a private key that cannot be read as one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for issuer in issuers:
        private = directory / f"{issuer}.key"
        if not private.exists():
            fresh = Ed25519PrivateKey.generate()
            _write(private, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        public = directory / f"{issuer}.pub"
        expected = _public_half(private)
        if not public.exists() or public.read_bytes() != expected:
            _write(public, expected, 0o644)


def keep_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file, made the first time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, make().encode(), 0o600)
    return path.read_text()


def new_password() -> str:
    """256 random bits that need no quoting in a URL."""
    return secrets.token_urlsafe(32)


def new_master_key() -> str:
    """32 random bytes, base64url with padding."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _public_half(private: Path) -> bytes:
    try:
        key = load_pem_private_key(private.read_bytes(), password=None)
    except ValueError:
        raise StackError(f"{private} is not a private key in PEM: remove it to have a new one made") from None
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    unfinished = path.with_suffix(f"{path.suffix}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    unfinished.replace(path)
