"""People at the customer, as they are stored: every member there, null where nothing is known."""

import msgspec


class Contact(msgspec.Struct, kw_only=True, gc=False):
    """A person or mailbox; `role` says what to write to it about."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    role: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        self.role = self.role or "other"


_contacts = msgspec.json.Decoder(list[Contact])


def completed(text: str) -> list[Contact]:
    """Contacts of a JSON text in which members may be absent."""
    return _contacts.decode(text)
