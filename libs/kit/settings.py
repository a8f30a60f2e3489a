"""What a process is told by its environment. Read when a process starts, never at import."""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

ServiceName = Literal["gateway", "ledger", "risk", "credit", "dunning", "sandbox"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)


class SettingsRefused(Exception):
    """The environment does not make a working configuration; the text is one line for the operator."""


class Settings(BaseSettings):
    """Settings every process shares, `ENCOURS_…` in the environment."""

    model_config = SettingsConfigDict(env_prefix="ENCOURS_", extra="ignore")

    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/name; a service uses name_service"
    )
    redis_url: SecretStr = Field(description="redis://host:port/0")
    gateway_url: str = "http://127.0.0.1:8080"
    ledger_url: str = "http://127.0.0.1:8081"
    risk_url: str = "http://127.0.0.1:8082"
    credit_url: str = "http://127.0.0.1:8083"
    dunning_url: str = "http://127.0.0.1:8084"
    sandbox_url: str = "http://127.0.0.1:8085"
    keys_dir: Path = Field(
        description="one Ed25519 pair an issuer: <issuer>.key for the private half, <issuer>.pub"
    )
    master_key: SecretStr | None = Field(
        None, description="32 bytes, base64url: encrypts credentials at rest"
    )
    sandbox: bool = Field(False, description="allow sandbox tenants, their clocks and the stand-ins")
    outbound_loopback: bool = Field(
        False,
        description="let webhooks and adapters call this very machine, also by plain http: development and tests",
    )
    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:8025")
    smtp_ca_file: Path | None = Field(
        None, description="certificates of authorities to trust for mail servers, beside the machine's own"
    )
    bootstrap_key: SecretStr | None = Field(
        None, description="the operator's key: creates the first tenant, nothing else"
    )
    database_pool: int = Field(10, ge=2, le=100, description="connections a process opens at the most")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"
    otel_endpoint: str | None = Field(None, description="OTLP/HTTP collector; tracing is off without one")
    openapi_dir: Path = Field(
        Path(__file__).resolve().parents[2] / "openapi", description="the committed OpenAPI documents"
    )
    rate_limit: int = Field(6000, ge=1, description="requests a minute and key")
    public_rate_limit: int = Field(
        600, ge=1, description="requests a minute and address on paths without a key"
    )
    login_failures: int = Field(60, ge=1, description="failed log-ins a minute and address")
    metrics_networks: str = Field(
        "127.0.0.0/8,::1/128",
        description="from where the gateway's public port shows /metrics, as networks separated by commas",
    )
    sweep_seconds: float = Field(3.0, gt=0, description="how often work that lost its nudge is looked for")
    day_sweep_seconds: float = Field(60.0, gt=0, description="how often a new local day is looked for")

    @field_validator("metrics_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for network in value.split(","):
            ip_network(network.strip())
        return value

    def url_of(self, service: ServiceName) -> str:
        """Base URL of a peer."""
        return str(getattr(self, f"{service}_url")).rstrip("/")


class _Override(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore")
    database_url: SecretStr | None = None


def load_settings(**overrides: object) -> Settings:
    """Read the environment. Raises SettingsRefused with one line naming the variable and what is wrong with it."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SettingsRefused(f"ENCOURS_{str(first['loc'][0]).upper()}: {first['msg']}") from None


def database_url(settings: Settings, service: ServiceName) -> str:
    """The service's own database: `LEDGER_DATABASE_URL` where given, else `<name>_<service>` on the common server."""
    own = _Override(_env_prefix=f"{service.upper()}_").database_url
    if own is not None:
        return own.get_secret_value()
    url = make_url(settings.database_url.get_secret_value())
    return url.set(database=f"{url.database}_{service}").render_as_string(hide_password=False)
