"""Reading the texts of an XML tree by path."""

from dataclasses import dataclass

from lxml.etree import _Element as Element

from services.ledger.domain.einvoice.invoice import Numbered


@dataclass(frozen=True, slots=True)
class Names:
    """The prefixes that paths use."""

    prefixes: dict[str, str]


def named(node: Element | None, path: str, names: Names) -> Element | None:
    """The first element at a path."""
    return None if node is None else node.find(path, names.prefixes)


def text(node: Element | None, path: str, names: Names) -> str | None:
    """The text of the first element at a path, trimmed; None where there is none."""
    found = named(node, path, names)
    return None if found is None else (str(found.text or "").strip() or None)


def texts(node: Element, path: str, names: Names) -> tuple[str, ...]:
    """The texts of all elements at a path that have one."""
    return tuple(each.value for each in numbered(node, path, names))


def numbered(node: Element | None, path: str, names: Names) -> tuple[Numbered, ...]:
    """The identifiers at a path, each with its scheme."""
    if node is None:
        return ()
    found = (
        (str(each.text or "").strip(), each.get("schemeID")) for each in node.iterfind(path, names.prefixes)
    )
    return tuple(Numbered(value, scheme) for value, scheme in found if value)
