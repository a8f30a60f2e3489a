import asyncio
from typing import Any

import pytest

from libs.kit.problems import Problem
from services.gateway.proxy import principals
from services.gateway.proxy.credentials import ApiKey, Jwt
from services.gateway.proxy.limits import Policy, RateLimiter
from services.gateway.proxy.login_failures import LoginFailures
from services.gateway.proxy.principals import Principal, Principals

POLICY = Policy("default", 1, 1)


def key(last: str = "a") -> str:
    return f"enc_{'0' * 32}_{'1' * 32}_{last * 64}"


def scope(*authorizations: str) -> dict[str, Any]:
    return {"headers": [(b"accept", b"*"), *((b"authorization", value.encode()) for value in authorizations)]}


class Identity:
    """Counts what it is asked; knows every key but those ending in f."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def resolve(self, credentials: ApiKey | Jwt) -> Principal:
        self.asked += 1
        await self.gate.wait()
        if credentials.text.endswith("f"):
            raise Problem(401, "unauthenticated", "This key is not known.")
        return Principal(b"Bearer internal " + credentials.text[-4:].encode(), credentials.text, POLICY)


async def test_known_caller_is_asked_about_once() -> None:
    identity = Identity()
    known = Principals(identity.resolve)
    first = await known.authenticate(scope("Bearer " + key()))
    assert await known.authenticate(scope("Bearer " + key())) is first
    assert (await known.authenticate(scope("Bearer " + key("b")))) != first
    assert identity.asked == 2


async def test_many_at_once_are_one_question_and_leaving_disturbs_nobody() -> None:
    identity = Identity()
    identity.gate.clear()
    known = Principals(identity.resolve)
    tasks = [asyncio.create_task(known.authenticate(scope("Bearer " + key()))) for _ in range(50)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    identity.gate.set()
    results = await asyncio.gather(*tasks[1:])
    assert len(set(map(id, results))) == 1
    assert identity.asked == 1


async def test_memory_ends_after_its_life_and_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(principals, "monotonic", lambda: now)
    identity = Identity()
    known = Principals(identity.resolve, life_s=10)
    await known.authenticate(scope("Bearer " + key()))
    now = 109.9
    await known.authenticate(scope("Bearer " + key()))
    assert identity.asked == 1
    now = 110.1
    await known.authenticate(scope("Bearer " + key()))
    assert identity.asked == 2
    known.forget()
    await known.authenticate(scope("Bearer " + key()))
    assert identity.asked == 3


async def test_refusal_is_not_remembered() -> None:
    identity = Identity()
    known = Principals(identity.resolve)
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            await known.authenticate(scope("Bearer " + key("f")))
        assert refused.value.status == 401
    assert identity.asked == 2


@pytest.mark.parametrize("header", [(), ("Basic eDp5",), ("Bearer nonsense",), ("Bearer enc_1_2_3",)])
async def test_unreadable_credentials_ask_nobody(header: tuple[str, ...]) -> None:
    identity = Identity()
    with pytest.raises(Problem) as refused:
        await Principals(identity.resolve).authenticate(scope(*header))
    assert (refused.value.status, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
    assert identity.asked == 0


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(principals, "_REMEMBERED", 3)
    known = Principals(Identity().resolve)
    for last in "0123456789":
        await known.authenticate(scope("Bearer " + key(last)))
    assert len(known._known) <= 3


async def test_secrets_are_not_kept_in_the_memory() -> None:
    known = Principals(Identity().resolve)
    await known.authenticate(scope("Bearer " + key()))
    assert all(key().encode() not in token for token in known._known)


async def test_an_address_that_guesses_waits_and_those_known_there_go_on() -> None:
    identity = Identity()
    limiter = RateLimiter(now=lambda: 1000.0)
    known = Principals(identity.resolve, failures=LoginFailures(limiter, Policy("log-in", 3, 60)))

    def coming(secret: str, address: str) -> dict[str, Any]:
        return {**scope("Bearer " + key(secret)), "client": (address, 5000)}

    await known.authenticate(coming("a", "192.0.2.1"))
    for _ in range(3):
        with pytest.raises(Problem) as refused:
            await known.authenticate(coming("f", "192.0.2.1"))
        assert refused.value.status == 401
    asked = identity.asked
    for secret in ("f", "b"):
        with pytest.raises(Problem) as refused:
            await known.authenticate(coming(secret, "192.0.2.1"))
        assert (refused.value.status, refused.value.code) == (429, "too_many_failures")
        assert int(refused.value.headers["Retry-After"]) > 0
    assert identity.asked == asked, "not even looked up"
    await known.authenticate(coming("a", "192.0.2.1"))
    await known.authenticate(coming("b", "192.0.2.2"))
    for number in range(3):
        with pytest.raises(Problem, match="401"):
            await known.authenticate(coming("f", f"2001:db8:1:2::{number}"))
    with pytest.raises(Problem, match="429"):
        await known.authenticate(coming("c", "2001:db8:1:2:ffff::1"))
    await known.authenticate(coming("c", "2001:db8:1:3::1"))
