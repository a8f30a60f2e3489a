"""A described provider → canonical. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.risk.providers.capabilities import Capabilities
from services.risk.providers.declarative.config import DeclarativeOptions
from services.risk.providers.facts import CanonicalValue, Snapshot
from services.risk.providers.field_map import read, resolve
from services.risk.providers.reading import dated, text
from services.risk.providers.values import snapshot


def map_parts(
    parts: Mapping[str, Any],
    *,
    product: str,
    version: int,
    capabilities: Capabilities,
    options: DeclarativeOptions,
    provider: str,
    failed_parts: Sequence[str] = (),
) -> Snapshot:
    """Every field by its rule, in the part it names (the first one's if it names none)."""
    main = next(iter(options.fetch))
    as_of = dated(resolve(parts.get(main), options.as_of), options.as_of_dates) if options.as_of else None
    values: dict[str, CanonicalValue] = {}
    warnings: list[str] = []
    failed: list[str] = []
    for name, rule in options.fields.items():
        where = rule.part or main
        if where in failed_parts:
            failed.append(name)
            continue
        found, warning = read(
            name, rule, parts.get(where), portal_hosts=tuple(options.portal_hosts), as_of=as_of
        )  # fmt: skip
        values |= found
        warnings += [warning] if warning else []
    reference = None
    if options.search is not None and options.search.rows.reference is not None:
        reference = text(resolve(parts.get(main), options.search.rows.reference))
    return snapshot(
        provider, product, version, capabilities, values, as_of=as_of, failed=failed, warnings=warnings,
        provider_reference=reference,
    )  # fmt: skip
