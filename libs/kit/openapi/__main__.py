"""`python -m libs.kit.openapi write|check`: the committed documents under `openapi/`."""

import argparse
import sys
from pathlib import Path

from libs.kit.openapi.files import check, generate, write
from libs.kit.openapi.lint import lint

_ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="openapi", description=__doc__)
    parser.add_argument("verb", choices=["write", "check"])
    parser.add_argument("--directory", type=Path, default=_ROOT / "openapi")
    given = parser.parse_args(arguments)
    made = generate()
    if given.verb == "write":
        write(given.directory, made)
        return 0
    found = check(given.directory, made) + lint(made["gateway.json"])
    for complaint in found:
        sys.stderr.write(f"openapi: {complaint}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
