"""`python -m libs.testkit.features`: which feature of the checklist is shown by which test, and which is not yet.

Read from the tests' text, so that it needs no servers: `@pytest.mark.feature("L1", "F2")` on a function, a class or, as
`pytestmark`, a module.
"""

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

CHECKLIST = "tests/features.txt"
_LINE = re.compile(r"([A-Z]\d+) — (.+)")


def read_ids(root: Path) -> dict[str, str]:
    """Every feature's id and title, in the order of the checklist. Raises ValueError for a line that is none, or stands twice."""
    found: dict[str, str] = {}
    for number, line in enumerate((root / CHECKLIST).read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found:
            raise ValueError(f"{CHECKLIST}:{number}: expected one `id — title` a line, each id once")
        found[match[1]] = match[2]
    return found


def shown(root: Path) -> dict[str, list[str]]:
    """Feature id -> the tests that carry it."""
    tests: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        for test, identifiers in _marked(ast.parse(path.read_text())):
            for identifier in identifiers:
                tests[identifier].append(f"{name}::{test}")
    return tests


def _marked(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    general: list[str] = []
    for node in module.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets
        ):
            general = [identifier for call in ast.walk(node.value) for identifier in _ids(call)]
    yield from _marked_in(module.body, "", general)


def _marked_in(body: list[ast.stmt], prefix: str, outer: list[str]) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own = outer + [identifier for decorator in node.decorator_list for identifier in _ids(decorator)]
            if isinstance(node, ast.ClassDef):
                yield from _marked_in(node.body, f"{prefix}{node.name}::", own)
            elif node.name.startswith("test_"):
                yield prefix + node.name, own


def _ids(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("mark.feature"):
        return []
    return [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]


def main(arguments: list[str] | None = None) -> int:
    """Print the checklist. Given ids must all be shown, else the exit code is 1."""
    parser = argparse.ArgumentParser(prog="features", description="Which feature is shown by which test.")
    parser.add_argument("required", nargs="*", help="ids that must be shown")
    parser.add_argument("--tests", action="store_true", help="name every test")
    given = parser.parse_args(arguments)
    root = Path(__file__).resolve().parents[2]
    titles, tests = read_ids(root), shown(root)
    for identifier, title in titles.items():
        found = tests.get(identifier, [])
        mark = f"{len(found):3d} tests" if len(found) != 1 else "  1 test "
        sys.stdout.write(f"{identifier:>5}  {mark if found else '      not yet'[-9:]:9}  {title}\n")
        if given.tests:
            sys.stdout.writelines(f"{'':18}{test}\n" for test in found)
    sys.stdout.write(f"{len(tests.keys() & titles.keys())} of {len(titles)} features are shown by tests\n")
    missing = [identifier for identifier in given.required if not tests.get(identifier)]
    if missing:
        sys.stderr.write(f"not shown by any test: {', '.join(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
