"""Where calls to the outside may go. Nothing is sent here, and no name is really asked for."""

from ipaddress import ip_address

import pytest

from libs.kit.outbound_policy import HostPolicy, PolicyRefused, is_public

PRIVATE = (
    "127.0.0.1 127.8.9.10 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8 "
    "192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.7 224.0.0.1 224.0.1.1 239.255.255.250 240.0.0.1 255.255.255.255 "
    ":: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 fe80::1 fc00::1 "
    "fd00:ec2::254 fec0::1 ff02::1 ff0e::1 2002:7f00:1:: 2002:a9fe:a9fe:: 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 "
    "64:ff9b:1::1 2001:0:4136:e378:8000:63bf:f5ff:fffe 2001:db8::1 100::1"
).split()
PUBLIC = "93.184.216.34 1.1.1.1 8.8.8.8 2606:4700:4700::1111 2a00:1450:4007::8a 64:ff9b::8.8.8.8".split()


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_that_is_not_the_public_internets_is_never_called(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "url_invalid"),
        ("file:///etc/passwd", "url_invalid"),
        ("gopher://example.com/", "url_invalid"),
        ("//example.com/", "url_invalid"),
        ("example.com", "url_invalid"),
        ("https://", "url_invalid"),
        ("https://exa mple.com/", "url_invalid"),
        ("https://example.com:99999/", "url_invalid"),
        ("https://user:pass@example.com/", "url_holds_credentials"),
        ("https://example.com@127.0.0.1/", "url_holds_credentials"),
        ("http://example.com/", "https_required"),
    ],
)
def test_only_plain_https_urls_are_called(url: str, reason: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        HostPolicy(None).destination(url)
    assert refused.value.reason == reason


def test_a_closed_list_of_hosts_is_exact() -> None:
    policy = HostPolicy(["Api.Insurer.example"])
    assert policy.destination("https://API.insurer.example./v1?x=1").host == "api.insurer.example"
    for host in ("insurer.example", "x.api.insurer.example", "api.insurer.example.evil.example", "8.8.8.8"):
        with pytest.raises(PolicyRefused, match="host_not_allowed"):
            policy.destination(f"https://{host}/")


def test_one_bad_address_spoils_a_name() -> None:
    policy = HostPolicy(None)
    there = policy.destination("https://two-faced.example/")
    policy.check(there, [ip_address("8.8.8.8")])
    with pytest.raises(PolicyRefused, match="address_not_allowed"):
        policy.check(there, [ip_address("8.8.8.8"), ip_address("10.0.0.1")])


def test_loopback_opens_this_machine_and_nothing_else() -> None:
    policy = HostPolicy(None, loopback=True)
    plain = policy.destination("http://localhost:9000/hook")
    policy.check(plain, [ip_address("127.0.0.1"), ip_address("::1")])
    for address in ("10.0.0.1", "169.254.169.254", "192.168.0.1"):
        with pytest.raises(PolicyRefused, match="address_not_allowed"):
            policy.check(plain, [ip_address(address)])
    with pytest.raises(PolicyRefused, match="https_required"):
        policy.check(plain, [ip_address("8.8.8.8")])


def test_the_stand_in_may_be_called_where_it_stands() -> None:
    policy = HostPolicy(None, loopback=True, stand_in="http://sandbox:8000")
    policy.check(policy.destination("http://sandbox:8000/insurer"), [ip_address("172.18.0.4")])
    with pytest.raises(PolicyRefused, match="address_not_allowed"):
        policy.check(policy.destination("http://sandbox:5432/"), [ip_address("172.18.0.4")])
