"""The OpenAPI documents: built from the routes, made complete, merged, committed under `openapi/` and checked for drift."""

from libs.kit.openapi.document import build
from libs.kit.openapi.merging import TwoOwners, merge

__all__ = ["TwoOwners", "build", "merge"]
