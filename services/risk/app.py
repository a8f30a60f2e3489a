"""The HTTP application of risk."""

from fastapi import FastAPI

from libs.kit.app import build_app
from services.risk.service import SERVICE


def create_app() -> FastAPI:
    """The application, ready to be served."""
    return build_app(SERVICE)
