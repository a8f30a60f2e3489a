"""Where calls to the outside may go, decided on resolved addresses. No I/O here."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

Address = IPv4Address | IPv6Address
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
#: For the machines of one network, although Python calls them global.
_NEAR = (IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10"))
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}(%[a-z0-9]+)?")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class PolicyRefused(Exception):
    """A destination is forbidden; `reason` is a stable code."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom a URL calls; `literal` when the host is written as an address."""

    secure: bool
    host: str
    port: int
    literal: Address | None


@dataclass(frozen=True)
class HostPolicy:
    """Public addresses only, https only, and only the hosts named, if any are. `loopback` adds this machine, also by http;
    `stand_in` is the base URL of a server of our own that plays the outside world."""

    allowed_hosts: Collection[str] | None
    loopback: bool = False
    stand_in: str | None = None

    def destination(self, url: str) -> Destination:
        """Whom a URL calls. Raises PolicyRefused for a URL that is not absolute http(s), holds credentials, names a host
        that is not allowed, or says http where no loopback is allowed."""
        try:
            parsed = httpx.URL(url)
            host = parsed.raw_host.decode("ascii").rstrip(".").lower()
            port = parsed.port or _DEFAULT_PORTS.get(parsed.scheme, 0)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise PolicyRefused("?", "url_invalid") from None
        if parsed.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or not 0 < port < 65536:
            raise PolicyRefused("?", "url_invalid")
        if parsed.userinfo:
            raise PolicyRefused(host, "url_holds_credentials")
        if self.allowed_hosts is not None and host not in {name.lower() for name in self.allowed_hosts}:
            raise PolicyRefused(host, "host_not_allowed")
        if parsed.scheme == "http" and not (self.loopback or self._is_stand_in(host, port)):
            raise PolicyRefused(host, "https_required")
        return Destination(parsed.scheme == "https", host, port, _literal(host))

    def check(self, there: Destination, addresses: Iterable[Address]) -> None:
        """Raises PolicyRefused unless every address may be called this way: one bad one spoils the name."""
        for address in addresses:
            if not self.admits(address, there.host, there.port):
                raise PolicyRefused(there.host, "address_not_allowed")
            plain = address.is_loopback or self._is_stand_in(there.host, there.port)
            if not there.secure and not plain:
                raise PolicyRefused(there.host, "https_required")

    def admits(self, address: Address, host: str, port: int) -> bool:
        """Whether this address may be called under this name."""
        here = self.loopback and address.is_loopback
        return is_public(address) or here or self._is_stand_in(host, port)

    def _is_stand_in(self, host: str, port: int) -> bool:
        if self.stand_in is None:
            return False
        ours = httpx.URL(self.stand_in)
        return (host, port) == (ours.host, ours.port or _DEFAULT_PORTS[ours.scheme])


def is_public(address: Address) -> bool:
    """Whether an address, and every IPv4 address wrapped in it, belongs to the public internet."""
    return all(_global(one) for one in (address, *_wrapped(address)))


def _global(address: Address) -> bool:
    near = any(address.version == network.version and address in network for network in _NEAR)
    odd = address.is_multicast or address.is_unspecified or (address.is_reserved and not _is_nat64(address))
    return address.is_global and not near and not odd


def _wrapped(address: Address) -> list[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may end up at: mapped, 6to4, Teredo, NAT64, compatible."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if _is_nat64(address) or int(address) >> 32 == 0:
        found.append(IPv4Address(address.packed[-4:]))
    return [one for one in found if one is not None]


def _is_nat64(address: Address) -> bool:
    return isinstance(address, IPv6Address) and any(address in network for network in _NAT64)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
