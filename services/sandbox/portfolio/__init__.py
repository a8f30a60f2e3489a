"""The demo portfolio: what the ERPs of a small group would hold, made from a seed."""

from services.sandbox.portfolio.buyers import UNITS, Unit
from services.sandbox.portfolio.generation import Portfolio, UnitBook, generate

__all__ = ["UNITS", "Portfolio", "Unit", "UnitBook", "generate"]
