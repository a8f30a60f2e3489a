"""Scopes, roles, and what a key bound to a user may do: never more than the key, never more than the person."""

from collections.abc import Iterable
from typing import Literal, get_args

Scope = Literal[
    "ledger:read", "ledger:write", "risk:read", "risk:write",
    "credit:read", "credit:request", "credit:approve", "credit:admin",
    "guarantees:read", "guarantees:request", "guarantees:admin",
    "dunning:read", "dunning:write", "dunning:send", "admin",
]  # fmt: skip
Role = Literal["collector", "resolver", "salesperson", "credit_manager", "approver", "admin", "reader"]

SCOPES: tuple[str, ...] = get_args(Scope)
_READ = frozenset(scope for scope in SCOPES if scope.endswith(":read"))
_ROLES: dict[str, frozenset[str]] = {
    "reader": _READ,
    "collector": _READ | {"ledger:write", "credit:request", "dunning:write", "dunning:send"},
    "resolver": frozenset({"ledger:read", "dunning:read", "dunning:write"}),
    "salesperson": frozenset({"ledger:read", "risk:read", "credit:read", "credit:request", "dunning:read"}),
    "approver": _READ | {"credit:request", "credit:approve"},
    "credit_manager": frozenset(SCOPES) - {"admin"},
    "admin": frozenset(SCOPES),
}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything a person with these roles may do."""
    return frozenset().union(*(_ROLES[role] for role in roles))


def effective_scopes(key_scopes: Iterable[str], roles: Iterable[str] | None) -> frozenset[str]:
    """The scopes of a key; of a key bound to a person with `roles`, those that both have. `admin` stands for all."""
    held = frozenset(key_scopes)
    if roles is None:
        return held
    allowed = scopes_of(roles)
    if "admin" in held:
        return allowed
    return held if "admin" in allowed else held & allowed


def narrowed(held: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
    """The scopes somebody gets who holds some and wants some: never more than either. `admin` holds them all."""
    return wanted & frozenset(SCOPES) if "admin" in held else held & wanted
