"""Whom to write to: the contact for reminders first, then accounts; never somebody who must not be written
to."""

from collections.abc import Iterable

from services.dunning.domain.facts import Contact
from services.dunning.domain.scenario import Channel

__all__ = ["reachable_contact"]

#: Salespeople and others are not asked for money behind the collector's back.
_ROLES = ("dunning", "accounting")


def reachable_contact(contacts: Iterable[Contact], channel: Channel) -> Contact | None:
    """The first contact, by role and then in the customer's own order, that the channel can reach; None
    without one."""
    for role in _ROLES:
        for contact in contacts:
            if contact.role == role and not contact.blacklisted and _has_address(contact, channel):
                return contact
    return None


def _has_address(contact: Contact, channel: Channel) -> bool:
    if channel is Channel.EMAIL:
        return bool(contact.email)
    if channel in {Channel.SMS, Channel.CALL}:
        return bool(contact.phone)
    return True
