"""Which company a customer is, and which identifiers cannot be right."""

from uuid import UUID

import pytest

from services.ledger.domain.company_identity import (
    Attach,
    CompanyIdentityConflict,
    Create,
    Found,
    Identity,
    IdentityInvalid,
    KnownCompany,
    normalise,
    resolve,
)

LEI = "969500WU8KVE8U3TL824"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Identity()),
        ({"country": " ", "vat_number": ""}, Identity()),
        ({"country": "fr"}, Identity(country="FR")),
        (
            {"country": "FR", "registration_number": "732 829 320"},
            Identity(country="FR", registration_number="732829320"),
        ),
        (
            {"country": "FR", "registration_number": "73282932000074"},
            Identity(country="FR", registration_number="732829320"),
        ),
        (
            {"country": "BE", "registration_number": "0403.019.261"},
            Identity(country="BE", registration_number="0403019261"),
        ),
        (
            {"country": "CH", "registration_number": "CHE-100.155.212"},
            Identity(country="CH", registration_number="CHE100155212"),
        ),
        (
            {"country": "GB", "registration_number": "445790"},
            Identity(country="GB", registration_number="00445790"),
        ),
        (
            {"country": "GB", "registration_number": "SC123456"},
            Identity(country="GB", registration_number="SC123456"),
        ),
        (
            {"country": "US", "registration_number": "c-12 34"},
            Identity(country="US", registration_number="C1234"),
        ),
        (
            {"country": "US", "registration_number": "9" * 64},
            Identity(country="US", registration_number="9" * 64),
        ),
        ({"vat_number": "fr 44 732 829 320"}, Identity(vat_number="FR44732829320")),
        ({"country": "FR", "vat_number": "44732829320"}, Identity(country="FR", vat_number="FR44732829320")),
        ({"country": "DE", "vat_number": "136.695 976"}, Identity(country="DE", vat_number="DE136695976")),
        ({"vat_number": "GR094259216"}, Identity(vat_number="EL094259216")),
        ({"vat_number": "EL 094259216"}, Identity(vat_number="EL094259216")),
        ({"vat_number": "CHE-100.155.212 TVA"}, Identity(vat_number="CHE100155212")),
        (
            {"country": "CH", "vat_number": "100.155.212 MWST"},
            Identity(country="CH", vat_number="CHE100155212"),
        ),
        ({"vat_number": "XI 980780684"}, Identity(vat_number="XI980780684")),
        ({"vat_number": "US12345"}, Identity(vat_number="US12345")),
        ({"lei": "9695 00WU8KVE8U3TL824".lower()}, Identity(lei=LEI)),
    ],
)
def test_identifiers_take_one_form(raw: dict[str, str], expected: Identity) -> None:
    assert normalise(**raw) == expected


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"country": "FR", "registration_number": "552008444"}, "registration_number_invalid"),
        ({"country": "FR", "registration_number": "55200844"}, "registration_number_invalid"),
        ({"country": "FR", "registration_number": "RCS732829320"}, "registration_number_invalid"),
        ({"country": "FR", "registration_number": "000 000 000"}, "registration_number_invalid"),
        ({"country": "US", "registration_number": "0000"}, "registration_number_invalid"),
        ({"country": "US", "registration_number": "-./"}, "registration_number_invalid"),
        ({"country": "US", "registration_number": "9" * 65}, "registration_number_invalid"),
        ({"country": "BE", "registration_number": "0403.019.262"}, "registration_number_invalid"),
        ({"registration_number": "732829320"}, "country_invalid"),
        ({"country": "FRA"}, "country_invalid"),
        ({"country": "XX"}, "country_invalid"),
        ({"vat_number": "FR00732829320"}, "vat_number_invalid"),
        ({"vat_number": "732829320"}, "vat_number_invalid"),
        ({"vat_number": "DE000000000"}, "vat_number_invalid"),
        ({"lei": "98"}, "lei_invalid"),
        ({"lei": "969500WU8KVE8U3TL825"}, "lei_invalid"),
    ],
)
def test_identifiers_that_cannot_be_right_are_refused(raw: dict[str, str], code: str) -> None:
    with pytest.raises(IdentityInvalid) as refused:
        normalise(**raw)
    assert (refused.value.code, f"{refused.value.field}_invalid") == (code, code)


REGISTERED = Identity(country="FR", registration_number="732829320")
FULL = Identity(country="FR", registration_number="732829320", vat_number="FR44732829320", lei=LEI)
A = KnownCompany(UUID(int=1), REGISTERED)
B = KnownCompany(UUID(int=2), Identity(vat_number="FR44732829320"))
C = KnownCompany(UUID(int=3), Identity(lei=LEI))
OTHER = KnownCompany(UUID(int=4), Identity(country="FR", registration_number="552008443"))
PRIVATE = KnownCompany(UUID(int=5), Identity())


def test_a_country_alone_identifies_nobody() -> None:
    assert Identity(country="FR").is_private
    assert not any(known.identity.is_private for known in (A, B, C))


@pytest.mark.parametrize(
    ("found", "company", "learned"),
    [
        (Found(by_registration=A), A, Identity(vat_number="FR44732829320", lei=LEI)),
        (Found(by_vat=B), B, Identity(country="FR", registration_number="732829320", lei=LEI)),
        (
            Found(by_lei=C),
            C,
            Identity(country="FR", registration_number="732829320", vat_number="FR44732829320"),
        ),
        (Found(by_registration=A, by_vat=A, by_lei=A), A, Identity(vat_number="FR44732829320", lei=LEI)),
    ],
)
def test_any_identifier_finds_the_company_and_it_learns_the_others(
    found: Found, company: KnownCompany, learned: Identity
) -> None:
    assert resolve(FULL, found) == Attach(company.company_id, learned)


@pytest.mark.parametrize("found", [Found(A, B), Found(A, None, C), Found(None, B, C)])
def test_identifiers_of_different_companies_conflict(found: Found) -> None:
    with pytest.raises(CompanyIdentityConflict) as refused:
        resolve(FULL, found)
    assert refused.value.code == "company_identity_conflict"


@pytest.mark.parametrize(
    ("bears", "said"),
    [
        (Identity(country="FR", registration_number="552008443", vat_number="FR44732829320"), FULL),
        (Identity(country="BE", registration_number="732829320", vat_number="FR44732829320"), FULL),
        (Identity(vat_number="FR44732829320", lei="213800WAVVOPS85N2205"), FULL),
    ],
)
def test_a_company_found_by_one_identifier_that_bears_another_conflicts(
    bears: Identity, said: Identity
) -> None:
    with pytest.raises(CompanyIdentityConflict):
        resolve(said, Found(by_vat=KnownCompany(UUID(int=9), bears)))


def test_another_country_without_a_registration_number_is_no_conflict() -> None:
    german_address = Identity(country="DE", vat_number="FR44732829320")
    french = KnownCompany(UUID(int=9), Identity(country="FR", vat_number="FR44732829320"))
    assert resolve(german_address, Found(by_vat=french)) == Attach(french.company_id, Identity())


def test_a_country_is_learned_where_none_was_known_or_with_its_registration_number() -> None:
    placed = Identity(country="FR", vat_number="FR44732829320")
    assert resolve(placed, Found(by_vat=B)) == Attach(B.company_id, Identity(country="FR"))
    german_address = KnownCompany(UUID(int=9), Identity(country="DE", vat_number="FR44732829320"))
    assert resolve(FULL, Found(by_vat=german_address)) == Attach(
        UUID(int=9), Identity(country="FR", registration_number="732829320", lei=LEI)
    )


def test_nothing_found_makes_a_company() -> None:
    assert resolve(FULL, Found()) == Create(FULL)
    assert resolve(Identity(), Found()) == Create(Identity())


def test_a_customer_without_identifiers_keeps_its_company() -> None:
    assert resolve(Identity(), Found(), current=A) == Attach(A.company_id, Identity())
    assert resolve(Identity(), Found(), current=PRIVATE) == Attach(PRIVATE.company_id, Identity())


def test_a_private_company_learns_what_nobody_else_bears() -> None:
    assert resolve(FULL, Found(), current=PRIVATE) == Attach(PRIVATE.company_id, FULL)


def test_a_company_learns_an_identifier_it_did_not_bear() -> None:
    assert resolve(Identity(lei=LEI), Found(), current=A) == Attach(A.company_id, Identity(lei=LEI))


@pytest.mark.parametrize("current", [PRIVATE, OTHER])
def test_a_customer_whose_identifiers_are_another_companys_moves_there(current: KnownCompany) -> None:
    assert resolve(REGISTERED, Found(by_registration=A), current=current) == Attach(A.company_id, Identity())


def test_a_customer_that_became_another_company_gets_a_new_one() -> None:
    assert resolve(REGISTERED, Found(), current=OTHER) == Create(REGISTERED)
