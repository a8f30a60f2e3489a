from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.proxy.credentials import (
    ApiKey,
    CredentialsRefused,
    Jwt,
    digest,
    generate,
    parse_bearer,
    parse_key,
)

TENANT, KEY_ID = UUID(int=7), UUID(int=8)
GOOD = f"enc_{TENANT.hex}_{KEY_ID.hex}_{'a' * 64}"


@given(st.uuids(), st.uuids())
def test_generated_key_reads_back(tenant_id: UUID, key_id: UUID) -> None:
    made = generate(tenant_id, key_id)
    read = parse_bearer(b"Bearer " + made.text.encode())
    assert read == made
    assert made.matches(digest(made.text))


def test_keys_are_never_the_same_twice() -> None:
    assert len({generate(TENANT, KEY_ID).text for _ in range(100)}) == 100


def test_any_other_key_does_not_match() -> None:
    stored = digest(GOOD)
    assert parse_key(GOOD).matches(stored)
    assert not parse_key(GOOD[:-1] + "b").matches(stored)
    other_tenant = GOOD.replace(TENANT.hex, UUID(int=9).hex)
    other_id = GOOD.replace(KEY_ID.hex, UUID(int=9).hex)
    assert not parse_key(other_tenant).matches(stored)
    assert not parse_key(other_id).matches(stored)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "enc_",
        GOOD[:-1],
        GOOD + "a",
        GOOD + "\n",
        GOOD.upper(),
        GOOD.replace("enc_", "ENC_"),
        GOOD.replace("_", "-"),
        GOOD.replace("a" * 64, "g" * 64),
        f"enc_{TENANT}_{KEY_ID.hex}_{'a' * 64}",
        " " + GOOD,
    ],
)
def test_text_that_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        parse_key(text)
    assert len(text) < 10 or text not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Bearer " + GOOD.encode(), ApiKey(TENANT, KEY_ID, GOOD)),
        (b"bearer  " + GOOD.encode() + b" ", ApiKey(TENANT, KEY_ID, GOOD)),
        (
            b"Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln-_",
            Jwt("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln-_"),
        ),
    ],
)
def test_bearer_takes_a_key_or_a_jwt(header: bytes, expected: ApiKey | Jwt) -> None:
    assert parse_bearer(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic dXNlcjpwYXNz",
        GOOD.encode(),
        b"Bearer " + GOOD.encode() + b" x",
        b"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        b"Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0",
        b"Bearer a.b.c",
        b"Bearer eyJ\xff.e.s",
        b"Bearer eyJ" + b"a" * 20_000 + b".b.c",
    ],
)
def test_other_headers_are_refused(header: bytes) -> None:
    with pytest.raises(CredentialsRefused):
        parse_bearer(header)


def test_secret_does_not_show_in_a_repr() -> None:
    assert "a" * 64 not in repr(parse_key(GOOD))
    assert "sig" not in repr(Jwt("eyJ.b.sig"))
