"""`python -m libs.kit.openapi write|check`: the committed documents under `openapi/`."""

import argparse
import sys
from pathlib import Path

from libs.kit.openapi.files import check, write

_ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="openapi", description=__doc__)
    parser.add_argument("verb", choices=["write", "check"])
    parser.add_argument("--directory", type=Path, default=_ROOT / "openapi")
    given = parser.parse_args(arguments)
    if given.verb == "write":
        write(given.directory)
        return 0
    found = check(given.directory)
    for complaint in found:
        sys.stderr.write(f"openapi: {complaint}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
