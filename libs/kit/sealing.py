"""Credentials at rest: sealed with the house's master key (AES-256-GCM), bound to the tenant and the purpose.

A sealed text copied to another tenant's row, or to another field, does not open.
"""

import base64
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

_NONCE = 12


class SealBroken(Exception):
    """The text was not sealed with this key for this tenant and purpose."""


class Seal:
    """Seals and opens. Raises ValueError when the master key is not 32 bytes in base64url."""

    def __init__(self, master_key: SecretStr | None) -> None:
        if master_key is None:
            raise ValueError("ENCOURS_MASTER_KEY is not set: credentials cannot be kept")
        text = master_key.get_secret_value()
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if len(key) != 32:
            raise ValueError("ENCOURS_MASTER_KEY is not 32 bytes in base64url")
        self._cipher = AESGCM(key)

    def seal(self, tenant_id: UUID, purpose: str, secret: str) -> str:
        """The sealed text, different each time."""
        nonce = os.urandom(_NONCE)
        body = self._cipher.encrypt(nonce, secret.encode(), _bound_to(tenant_id, purpose))
        return base64.urlsafe_b64encode(nonce + body).decode()

    def open(self, tenant_id: UUID, purpose: str, sealed: str) -> str:
        """The secret. Raises SealBroken."""
        raw = base64.urlsafe_b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bound_to(tenant_id, purpose)).decode()
        except InvalidTag:
            raise SealBroken(purpose) from None


def _bound_to(tenant_id: UUID, purpose: str) -> bytes:
    return f"{tenant_id}:{purpose}".encode()
