"""What `make run` is told by its environment, checked before anything starts."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from libs.stack.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Where things lie and what is given from outside; an address that is not given is made here."""

    home: Path
    port: int = DEFAULT_PORT
    database_url: str | None = None
    redis_url: str | None = None
    keys_dir: Path | None = None

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.home / "logs"

    @property
    def environment_file(self) -> Path:
        """The settings of the processes that run, for commands typed beside them; absent when none run."""
        return self.home / "run.env"


def read_settings(environ: Mapping[str, str], root: Path = ROOT) -> StackSettings:
    """Read the ENCOURS_… variables; an empty one is not given. Raises StackError naming the wrong one."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    _check_master_key(given.get("ENCOURS_MASTER_KEY"))
    return StackSettings(
        home=root / ".encours",
        port=_port(given.get("ENCOURS_PORT", str(DEFAULT_PORT))),
        database_url=_url(
            given, "ENCOURS_DATABASE_URL", ("postgresql", "postgres"), "postgresql://user@host:5432/encours"
        ),
        redis_url=_url(given, "ENCOURS_REDIS_URL", ("redis", "rediss"), "redis://host:6379/0"),
        keys_dir=Path(given["ENCOURS_KEYS_DIR"]).resolve() if "ENCOURS_KEYS_DIR" in given else None,
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise StackError(f"ENCOURS_PORT must be a port between 1 and 65535, not {text!r}")
    return int(text)


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...], example: str) -> str | None:
    """A server's URL. The refusal does not repeat what was given: a password may be in it."""
    text = given.get(name)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in schemes and parts.hostname is not None and (parts.port or 1) > 0
    except ValueError:
        well_formed = False
    if not well_formed or (schemes[0] == "postgresql" and len(parts.path) < 2):
        raise StackError(f"{name} must look like {example}")
    return text


def _check_master_key(text: str | None) -> None:
    if text is None:
        return
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise StackError("ENCOURS_MASTER_KEY must be 32 bytes in base64url (43 characters)")
