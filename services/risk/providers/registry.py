"""Every adapter there is, by its key."""

from collections.abc import Mapping

from services.risk.providers.bodacc.client import Bodacc
from services.risk.providers.companies_house.client import CompaniesHouse
from services.risk.providers.port import Adapter
from services.risk.providers.sirene.client import Sirene

_ALL: tuple[Adapter, ...] = (Bodacc(), Sirene(), CompaniesHouse())

ADAPTERS: Mapping[str, Adapter] = {adapter.key: adapter for adapter in _ALL}
