"""The HTTP application of credit."""

from fastapi import FastAPI

from libs.kit.app import build_app
from services.credit.service import SERVICE


def create_app() -> FastAPI:
    """The application, ready to be served."""
    return build_app(SERVICE)
