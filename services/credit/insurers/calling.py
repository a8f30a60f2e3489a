"""How adapters speak JSON to an insurer: one request, once, and what came of it in the words of the port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from libs.kit.outbound import Answer, NotSent, Outbound, Refused, Uncertain
from libs.kit.strict_json import JsonRefused
from services.credit.insurers.port import Account, InsurerError, MayHaveWorked, NotAsked, Rejected


class Unreadable(InsurerError):
    """An answer that is not what the insurer's pages promise."""

    code = "answer_unreadable"


@dataclass
class Caller:
    """Speaks for one connection. `changes`: the call makes something, so that no answer means nobody knows."""

    outbound: Outbound
    account: Account

    async def ask(
        self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None, basic: tuple[str, str] | None = None, changes: bool = False,
        accept: frozenset[int] = frozenset({200, 201, 202, 206}), empty: bool = False,
    ) -> tuple[int, Any]:  # fmt: skip
        """Status and JSON. Raises NotAsked, MayHaveWorked (only for `changes`), Rejected for 4xx, Unreadable.

        empty: send no body at all, though the content type is given.
        """
        url = self.account.base_url.rstrip("/") + path
        content = None if body is None or empty else msgspec.json.encode(body)
        sent = {"accept": "application/json", **(headers or {})}
        if content is not None or empty:
            sent["content-type"] = "application/json"
        try:
            answer = await self.outbound.send(
                method, url, headers=sent, params=params, content=content, basic=basic
            )
        except Refused as refused:
            raise NotAsked(f"The call is not allowed ({refused.reason}).", "destination_refused") from None
        except NotSent as error:
            raise NotAsked(f"The insurer was not reached ({error.reason}).") from None
        except Uncertain as error:
            if changes:
                raise MayHaveWorked(f"No usable answer came ({error.reason}).") from None
            raise NotAsked(f"No usable answer came ({error.reason}).") from None
        return answer.status, _read(answer, accept, changes)


def _read(answer: Answer, accept: frozenset[int], changes: bool) -> Any:
    if answer.status in accept:
        if not answer.body:
            return None
        try:
            return answer.json()
        except JsonRefused:
            if changes:
                raise MayHaveWorked("The answer cannot be read.") from None
            raise Unreadable("The answer cannot be read.") from None
    if answer.status in (401, 403):
        raise Rejected("The insurer refuses our credentials.", "credentials_refused")
    if answer.status == 429:
        raise NotAsked("The insurer asks us to slow down.", "rate_limited")
    if answer.status >= 500:
        if changes:
            raise MayHaveWorked(f"The insurer failed ({answer.status}).")
        raise NotAsked(f"The insurer failed ({answer.status}).")
    raise Rejected(_words(answer))


def _words(answer: Answer) -> str:
    """What a refusal says, as far as it is one of the shapes insurers use."""
    try:
        body = answer.json()
    except JsonRefused:
        return f"The insurer refuses the request ({answer.status})."
    if isinstance(body, dict):
        errors = body.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return str(errors[0].get("detail") or errors[0].get("message") or answer.status)[:500]
        for name in ("detail", "message", "error_description", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])[:500]
    return f"The insurer refuses the request ({answer.status})."
