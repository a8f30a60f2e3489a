"""Where on the clock a customer is, from its country."""

from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

__all__ = ["zone_of"]

#: Countries of several zones: the one most of their business keeps.
_BUSIEST = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
    "VN": "Asia/Ho_Chi_Minh",
}


def zone_of(country: str | None, named: str | None = None) -> str | None:
    """The IANA zone of a customer: the one its record names, else its country's; None when neither tells."""
    if named is not None and named in available_timezones():
        return named
    if country is None:
        return None
    return _BUSIEST.get(country) or _only_zones().get(country)


@cache
def _only_zones() -> dict[str, str]:
    """Country -> the first zone the IANA table gives it."""
    found: dict[str, str] = {}
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, zone)
    return found
