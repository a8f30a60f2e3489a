"""Events as they leave the house."""

from uuid import UUID

from libs.contracts.events import CATALOGUE
from services.gateway.domain.event_owners import EVENT_TYPES, SCOPE_OF, readable
from services.gateway.domain.public_event import event_id, public_state

TENANT, SUBJECT = UUID(int=1), UUID(int=2)


def test_money_is_a_decimal_string_of_the_currency_beside_it() -> None:
    state = {"currency": "JPY", "amount": 500, "open_amount": -500, "tax_amount": None, "cancelled": False}
    told = {"currency": "JPY", "amount": "500", "open_amount": "-500", "tax_amount": None, "cancelled": False}
    assert public_state(state) == told


def test_rows_bring_their_own_currency_and_parts_without_one_have_that_around_them() -> None:
    rows = {"rows": [{"currency": "EUR", "overdue": 5, "items_count": 2}, {"currency": "BHD", "overdue": 5}]}
    assert public_state(rows) == {
        "rows": [
            {"currency": "EUR", "overdue": "0.05", "items_count": 2},
            {"currency": "BHD", "overdue": "0.005"},
        ]
    }
    payment = {"currency": "EUR", "amount": 1000, "allocations": [{"item_id": "i", "amount": 250}]}
    assert public_state(payment)["allocations"] == [{"item_id": "i", "amount": "2.50"}]


def test_sealed_secrets_stay_in_the_house() -> None:
    state = {"settings": {"smtp_url": "smtp://mail", "smtp_password_sealed": "c2VhbGVk"}}
    assert public_state(state) == {"settings": {"smtp_url": "smtp://mail"}}


def test_an_id_names_one_fact() -> None:
    same = [event_id(TENANT, "item.changed", SUBJECT, 3) for _ in range(2)]
    others = {
        event_id(TENANT, "item.changed", SUBJECT, 4),
        event_id(TENANT, "payment.changed", SUBJECT, 3),
        event_id(TENANT, "item.changed", TENANT, 3),
        event_id(SUBJECT, "item.changed", SUBJECT, 3),
    }
    assert same[0] == same[1]
    assert len(others - {same[0]}) == 4


def test_every_type_has_one_owner_and_readers_see_what_their_scopes_allow() -> None:
    owned = [name for types in EVENT_TYPES.values() for name in types]
    assert sorted(owned) == sorted(CATALOGUE)
    assert readable({"admin"}) == sorted(CATALOGUE)
    assert readable({"dunning:read", "ledger:write"}) == list(EVENT_TYPES["dunning"])
    assert SCOPE_OF["user.changed"] == "admin"
    assert readable(set()) == []
