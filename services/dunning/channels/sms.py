"""Text messages: the port, and the one profile of a provider that is spoken over HTTP.

The profile: `POST {url}` with `Authorization: Bearer {token}`, `Idempotency-Key: {our message id}` and
`{"id": …, "from": …, "to": "+33612345678", "text": …}`. 200, 201, 202 or 204 is taken; 409 was taken before under the same id;
4xx is a refusal; 429 and 5xx were not taken and may be asked again. A provider of another making is reached through a small
service that speaks this profile.
"""

from dataclasses import dataclass
from uuid import UUID

from libs.kit import mail
from libs.kit.outbound import NotSent, Outbound, Refused, Uncertain
from libs.kit.responses import json_bytes
from libs.kit.settings import Settings

CHANNEL = "sms"
LONGEST = 1530  # ten parts of 153 characters: what networks carry as one message


@dataclass(frozen=True, slots=True, repr=False)
class Provider:
    """A tenant's provider. `sender` is a name or number it may send under; the token is a secret."""

    url: str
    sender: str
    token: str | None


async def send(
    settings: Settings, provider: Provider, to: str, text: str, identifier: UUID
) -> tuple[mail.Outcome, str | None]:
    """Hand a text message over; outcomes as of a mail."""
    headers = {"content-type": "application/json", "idempotency-key": str(identifier)}
    if provider.token:
        headers["authorization"] = f"Bearer {provider.token}"
    body = {"id": str(identifier), "from": provider.sender, "to": to, "text": text.strip()[:LONGEST]}
    async with Outbound(settings, allowed_hosts=None) as client:
        try:
            answer = await client.send("POST", provider.url, headers=headers, content=json_bytes(body))
        except Refused as refused:
            return "failed", f"the provider's address is not called ({refused.reason})"
        except NotSent as missed:
            return "queued", f"no connection ({missed.reason})"
        except Uncertain as lost:
            return "unknown", f"no answer ({lost.reason})"
    if answer.status in (200, 201, 202, 204, 409):
        return "sent", None
    again = answer.status == 429 or answer.status >= 500
    return ("queued" if again else "failed"), f"the provider answered {answer.status}"
