"""The ledger's HTTP application."""

from fastapi import FastAPI

from libs.kit.app import build_app
from services.ledger.service import SERVICE


def create_app() -> FastAPI:
    """The application, ready to be served."""
    return build_app(SERVICE)
