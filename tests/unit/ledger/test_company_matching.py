"""Many customers claim their companies at once."""

from uuid import UUID

from services.ledger.domain.company_identity import CompanyIdentityConflict, Identity
from services.ledger.domain.company_matching import Claim, Holder, Register

A, B, C = (UUID(int=n) for n in range(1, 4))
LEI = "969500WU8KVE8U3TL824"
VAT = "FR44732829320"


def number(text: str, **members: str) -> Identity:
    return Identity(country="FR", registration_number=text, **members)


def test_claims_of_one_batch_see_each_other() -> None:
    register = Register([])
    first = register.settle(Claim(number("1"), "One"))
    taught = register.settle(Claim(number("1", lei=LEI), "One again"))
    found = register.settle(Claim(Identity(lei=LEI), "By LEI"))
    assert first == taught == found
    assert register.created == {first: "One"}
    assert register.identities[first] == number("1", lei=LEI)
    assert register.taught == set(), "what is new is written once, with all it learned"


def test_claims_without_identifiers_share_nothing() -> None:
    register = Register([])
    companies = {register.settle(Claim(Identity(country="FR"), "Dupont")) for _ in range(3)}
    assert len(companies) == 3
    assert not register.needs_lock, "nobody else can be making the same one"


def test_a_known_company_learns_once() -> None:
    register = Register([Holder(A, number("1"))])
    assert register.settle(Claim(number("1"), "One")) == A
    assert not register.needs_lock
    assert register.settle(Claim(number("1", vat_number=VAT), "One")) == A
    assert register.taught == {A}
    assert register.needs_lock


def test_a_conflict_leaves_the_other_claims_alone() -> None:
    register = Register([Holder(A, number("1")), Holder(B, number("2", lei=LEI))])
    refused = register.settle(Claim(number("1", lei=LEI), "Both"))
    assert isinstance(refused, CompanyIdentityConflict)
    assert register.settle(Claim(number("2"), "Two")) == B
    assert register.taught == set() and register.created == {}


def test_the_number_of_a_company_that_ended_means_its_survivor() -> None:
    register = Register([Holder(A, number("1"), survivor=B), Holder(B, number("2"))])
    assert register.settle(Claim(number("1"), "Old")) == B
    assert register.identities[B] == number("2"), "the survivor keeps its own number"
    assert register.taught == set()


def test_a_living_bearer_goes_before_one_that_ended() -> None:
    register = Register([Holder(A, number("1"), survivor=B), Holder(C, number("1")), Holder(B, number("2"))])
    assert register.settle(Claim(number("1"), "One")) == C


def test_a_customer_that_moves_needs_the_lock() -> None:
    register = Register([Holder(A, Identity()), Holder(B, number("2"))])
    assert register.settle(Claim(number("2"), "Two", current=A)) == B
    assert register.moved == {A} and register.needs_lock


def test_a_private_company_learns_the_first_number_of_its_customer() -> None:
    register = Register([Holder(A, Identity())])
    assert register.settle(Claim(number("1"), "One", current=A)) == A
    assert register.identities[A] == number("1")
