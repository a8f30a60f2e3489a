"""Labels of the codes in the API."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from libs.contracts.events import CATALOGUE
from services.credit.api import credit_checks, limit_reviews, other_guarantees
from services.credit.api import schemas as credit
from services.credit.api.insurance import buyers, claims, clocks, insistences
from services.credit.domain import credit_check, limit_state
from services.credit.domain.insurance import policy_terms, vocabulary
from services.dunning.api import hand_overs, letter_schemas, pauses, preflight, replies, suggestions
from services.dunning.api import schemas as dunning
from services.dunning.domain.letters.library import LABELS as LETTERS
from services.gateway.api import webhook_deliveries
from services.gateway.domain.access import Role
from services.gateway.domain.labels import choose_language, translated
from services.gateway.storage.reference import labels
from services.ledger.api import customer_schemas, import_schemas, item_schemas, order_schemas, payment_schemas
from services.risk.api import provider_schemas
from services.risk.api import schemas as risk
from services.risk.domain.legal.notices import LegalStatus
from services.risk.providers.errors import ProviderError


def _of(event_type: str, member: str) -> tuple[str, ...]:
    return get_args(CATALOGUE[event_type].model_fields[member].annotation)


def _member(model: type[BaseModel], member: str) -> tuple[str, ...]:
    return get_args(model.model_fields[member].annotation)


CODES: dict[str, Any] = {
    "item_kind": get_args(item_schemas.Kind),
    "order_status": get_args(order_schemas.OrderStatus),
    "buyer_kind": get_args(customer_schemas.BuyerKind),
    "contact_role": get_args(customer_schemas.ContactRole),
    "reversal_reason": get_args(payment_schemas.ReversalReason),
    "import_kind": get_args(import_schemas.Kind),
    "import_mode": get_args(import_schemas.Mode),
    "import_status": get_args(import_schemas.Status),
    "limit_state": get_args(limit_state.State),
    "limit_request_state": _of("limit_request.changed", "state"),
    "alert_state": _of("alert.opened", "state"),
    "action_channel": get_args(dunning.Channel),
    "action_state": get_args(dunning.ActionState),
    "block_reason": get_args(letter_schemas.BlockedAddress.model_fields["reason"].annotation),
    "message_state": get_args(dunning.MailState),
    "role": get_args(Role),
    "guarantee_status": get_args(vocabulary.Status),
    "guarantee_product": get_args(vocabulary.Product),
    "guarantee_request_type": get_args(vocabulary.RequestType),
    "guarantee_request_state": get_args(vocabulary.RequestState),
    "cover_clock_kind": get_args(clocks.Kind),
    "cover_clock_state": get_args(clocks.State),
    "claim_state": get_args(claims.ClaimState),
    "claim_kind": _member(claims.Claim, "kind"),
    "insurer_declaration_kind": _member(claims.Declaration, "kind"),
    "insurer_declaration_state": get_args(claims.DeclarationState),
    "insistence_state": get_args(insistences.State),
    "insistence_outcome": _member(insistences.AnswerIn, "outcome"),
    "insurance_policy_kind": get_args(policy_terms.Kind),
    "insurer_buyer_state": _member(buyers.InsurerBuyer, "state"),
    "other_guarantee_state": _member(other_guarantees.OtherGuarantee, "state"),
    "limit_review_kind": get_args(limit_reviews.Kind),
    "limit_review_state": get_args(limit_reviews.State),
    "limit_review_outcome": _member(limit_reviews.ReviewCompletion, "outcome"),
    "reservation_state": get_args(credit_checks.ReservationState),
    "credit_check_rule": get_args(credit_check.Code),
    "limit_color": get_args(limit_state.Color),
    "legal_status": tuple(LegalStatus),
    "trend": get_args(get_args(risk.RiskRow.model_fields["trend"].annotation)[0]),
    "monitoring_state": get_args(provider_schemas.MonitoringState),
    "hand_over_recipient": get_args(hand_overs.RecipientKind),
    "hand_over_outcome": _member(hand_overs.End, "outcome"),
    "run_status": _member(dunning.Run, "status"),
    "pause_state": get_args(pauses.State),
    "item_direction": get_args(item_schemas.DirectionName),
    "webhook_delivery_status": get_args(webhook_deliveries.Status),
    "item_entry_kind": get_args(item_schemas.EntryName),
    "hold_reason": _member(import_schemas.Held, "reason"),
    "reply_source": _member(replies.Reply, "source"),
    "proposal_method": _member(credit.KeptProposal, "method"),
    "provider_data": _member(risk.RiskRow, "provider_data"),
    "provider_connection_state": _member(provider_schemas.ProviderConnection, "state"),
    "sync_state": _member(provider_schemas.Sync, "state"),
    "preflight_verdict": _member(preflight.Verdict, "verdict"),
    "suggestion_action": _member(suggestions.SuggestionOut, "action"),
}


@pytest.mark.parametrize("enum", sorted(CODES))
def test_every_code_of_the_api_has_an_english_label_and_no_other_has(enum: str) -> None:
    assert sorted(labels()["en"][enum]) == sorted(CODES[enum])


#: Where a refusal's code stands among the arguments of what is raised; the last are told as problems further up.
PLACES = {"Problem": 1, "ImportFailed": 0, "JsonRefused": 0, "NobodyDecides": 0}
#: Codes nobody is told: the caller has hung up; the base of the ledger's refusals is never raised itself.
UNTOLD = {"client_gone", "ledger_error"}


def raised(tree: ast.AST) -> Iterator[str]:
    """The codes of problems a module spells out: in calls, as the `code` of a class of refusals, or by falling behind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for argument in node.args[PLACES.get(name, 99) :][:1]:
                yield from spelt(argument)
            if name == "require_fresh":
                yield from (f"{producer}_behind" for producer in spelt(node.args[0]))
        elif isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
                    target = line.targets[0] if isinstance(line, ast.Assign) else line.target
                    if isinstance(target, ast.Name) and target.id == "code":
                        yield from spelt(line.value)


def spelt(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return spelt(node.body) + spelt(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def test_every_code_of_a_problem_has_a_label(pytestconfig: pytest.Config) -> None:
    folders = [pytestconfig.rootpath / "services", pytestconfig.rootpath / "libs"]
    sources: list[Path] = [path for folder in folders for path in folder.rglob("*.py")]
    codes = {code for path in sources for code in raised(ast.parse(path.read_text()))} - UNTOLD
    codes |= {f"provider_{kind.kind}" for kind in (ProviderError, *ProviderError.__subclasses__())}
    assert len(codes) > 100, "the sources are read"
    assert sorted(codes - labels()["en"]["problem"].keys()) == []


FIFTEEN = {"de", "en", "es", "fr", "hr", "it", "ja", "nl", "pl", "pt", "pt-BR", "ro", "sv", "tr", "zh-CN"}


@pytest.mark.feature("F113")
def test_there_are_labels_and_letters_in_the_same_fifteen_languages() -> None:
    assert labels().keys() == FIFTEEN == LETTERS.keys()


@pytest.mark.feature("F113")
@pytest.mark.parametrize("language", sorted(labels()))
def test_a_language_has_words_for_every_code(language: str) -> None:
    english = labels()["en"]
    assert labels()[language].keys() == english.keys()
    for enum, words in labels()[language].items():
        assert list(words) == list(english[enum]), enum
        assert all(word.strip() == word and word for word in words.values()), enum


@pytest.mark.parametrize("language", sorted(labels().keys() - {"en"}))
def test_a_language_is_not_english_under_another_name(language: str) -> None:
    pairs = [(words[code], label) for enum, labelled in labels()["en"].items() for code, label in labelled.items()
             for words in [labels()[language][enum]]]  # fmt: skip
    same = sum(one == other for one, other in pairs)
    assert same < len(pairs) / 20, [one for one, other in pairs if one == other]


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("fr", "fr"),
        ("fr-CH, en;q=0.9", "fr"),
        ("ja, de;q=0.3, fr;q=0.8", "fr"),
        ("de;q=0, ja", "en"),
        ("*", "en"),
        ("", "en"),
        ("xx;q=nonsense", "en"),
        ("ja;q=1, *;q=0.5, fr;q=0.1", "en"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh", "zh-CN"),
        ("pt-br", "pt-BR"),
        ("pt-AO", "pt"),
    ],
)
def test_the_best_known_language_is_chosen(header: str, chosen: str) -> None:
    assert choose_language(header, {"en", "fr", "de", "pt", "pt-BR", "zh-CN"}) == chosen


def test_english_stands_in_for_a_missing_word() -> None:
    said = translated({"a": "One", "b": "Two"}, {"b": "Deux"}, "fr")
    assert said == [("a", "One", "en"), ("b", "Deux", "fr")]
