"""Every adapter there is, by its key."""

from collections.abc import Mapping
from uuid import UUID

from services.risk.providers.altares.client import Altares
from services.risk.providers.bodacc.client import Bodacc
from services.risk.providers.companies_house.client import CompaniesHouse
from services.risk.providers.creditsafe.client import Creditsafe
from services.risk.providers.declarative.client import Declarative
from services.risk.providers.dnb.client import Dnb
from services.risk.providers.ellisphere.client import Ellisphere
from services.risk.providers.infolegale.client import Infolegale
from services.risk.providers.port import Adapter
from services.risk.providers.scores_decisions.profile import ScoresDecisions
from services.risk.providers.sirene.client import Sirene

_ALL: tuple[Adapter, ...] = (
    Altares(),
    ScoresDecisions(),
    Infolegale(),
    Ellisphere(),
    Creditsafe(),
    Dnb(),
    Bodacc(),
    Sirene(),
    CompaniesHouse(),
    Declarative(),
)

ADAPTERS: Mapping[str, Adapter] = {adapter.key: adapter for adapter in _ALL}


def stand_in_url(sandbox_url: str, tenant_id: UUID, connection_id: UUID, adapter: str) -> str:
    """Where the sandbox answers in a provider's place: the base URL of a connection that is to be tried and not paid."""
    return f"{sandbox_url.rstrip('/')}/stand-in/providers/{tenant_id}/{connection_id}/{adapter}"
