"""The sandbox's HTTP application, with the mail catcher and the doors of the stand-ins beside it."""

from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

from fastapi import FastAPI

from libs.kit.app import build_app
from libs.kit.runtime import Runtime
from services.sandbox.api import provider_door as door
from services.sandbox.mail_catcher import MailCatcher
from services.sandbox.service import SERVICE
from services.sandbox.storage.mails import keep


def create_app() -> FastAPI:
    """The application, ready to be served."""
    app = build_app(SERVICE, background=_catch_mail)
    app.add_route(door.PATH, door.answer, methods=door.METHODS, include_in_schema=False)
    return app


async def _catch_mail(runtime: Runtime) -> AsyncIterator[None]:
    """Listen where the house sends its mail."""
    port = urlsplit(runtime.settings.smtp_url.get_secret_value()).port or 0
    async with MailCatcher(partial(keep, runtime.db), port=port):
        yield
