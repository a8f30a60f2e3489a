"""Letters to the broker or insurer: the tenant's template, filled with the facts of the case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
#: What a template may name.
MEMBERS = frozenset(
    {
        "company", "registration_number", "policy_number", "insurer", "status", "requested_amount", "granted_amount",
        "amount_before", "currency", "decided_on", "reasons", "outstanding", "arguments", "provider_data", "comments", "sender",
    }
)  # fmt: skip


class TemplateRefused(ValueError):
    """A template names something that is not there."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and text."""

    subject: str
    body: str


DEFAULTS: dict[str, Letter] = {
    "en": Letter(
        "Policy {{policy_number}}: please review the cover of {{company}}",
        "Dear Sir or Madam,\n\n"
        "On {{decided_on}} the insurer answered \"{{status}}\" for {{company}} ({{registration_number}}): "
        "{{granted_amount}} {{currency}} granted, {{requested_amount}} {{currency}} requested. {{reasons}}\n\n"
        "We ask you to have this decision reviewed. The buyer owes us {{outstanding}} {{currency}} today.\n\n"
        "{{arguments}}\n\n{{comments}}\n\n{{provider_data}}\n\nYours faithfully,\n{{sender}}\n",
    ),
    "fr": Letter(
        "Police {{policy_number}} : insistance pour {{company}}",
        "Madame, Monsieur,\n\n"
        "Le {{decided_on}}, l'assureur a répondu « {{status}} » pour {{company}} ({{registration_number}}) : "
        "{{granted_amount}} {{currency}} accordés pour {{requested_amount}} {{currency}} demandés. {{reasons}}\n\n"
        "Nous vous prions de bien vouloir faire réexaminer cette décision. L'encours de cet acheteur est de {{outstanding}} "
        "{{currency}} à ce jour.\n\n"
        "{{arguments}}\n\n{{comments}}\n\n{{provider_data}}\n\nSincères salutations,\n{{sender}}\n",
    ),
}  # fmt: skip


def check(letter: Letter) -> None:
    """Raise TemplateRefused, naming the first member that is not there."""
    for name in _PLACE.findall(letter.subject) + _PLACE.findall(letter.body):
        if name not in MEMBERS:
            raise TemplateRefused(f"there is no {name}; expected some of {', '.join(sorted(MEMBERS))}")


def fill(letter: Letter, facts: Mapping[str, str]) -> Letter:
    """The letter with its facts. What is unknown leaves no trace; a subject stays one line."""
    body = _PLACE.sub(lambda found: facts.get(found.group(1), ""), letter.body)
    subject = _PLACE.sub(lambda found: facts.get(found.group(1), ""), letter.subject)
    tidy = re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"
    return Letter(" ".join(subject.split()), tidy)
