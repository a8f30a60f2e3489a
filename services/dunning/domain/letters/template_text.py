"""Templates: a subject, a text and optionally an HTML body in a small, safe part of Jinja2.

Templates are written by a tenant's own people, so they are programs of strangers. What they may do is a
short list of syntax nodes and filters: variables, conditions and loops over what is given. No calls, no
arithmetic, no includes, no macros, so nothing to run away with memory or time; the sandbox stands behind
that as a second wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = [
    "VARIABLES",
    "TemplateFault",
    "TemplateInvalidError",
    "TemplateText",
    "fill",
    "one_line",
    "template_faults",
]

#: What a template may name, with its type and what it stands for: the reference that template editors show.
VARIABLES = {
    "customer.name": ("text", "the customer's name"),
    "customer.number": ("text", "the customer's number in the seller's books"),
    "customer.address": ("text", "its postal address, one line a row"),
    "contact.name": ("text", "who is written to"),
    "sender.name": ("text", "who writes"),
    "sender.email": ("text", "where to answer"),
    "sender.phone": ("text", "whom to call"),
    "sender.collector": ("text", "the person in charge"),
    "leader.number": ("text", "number of the oldest open item"),
    "leader.due_date": ("date", "its due date, in words"),
    "leader.days_late": ("number", "days since then"),
    "leader.amount": ("money", "its open amount, with currency"),
    "status": ("text", "the status just given to the items, in the reader's language"),
    "comment": ("text", "what was noted with it"),
    "promise.date": ("date", "the day a payment is promised for, in words; empty without a promise"),
    "promise.amount": ("money", "what is promised, with currency; empty without an amount"),
    "dispute": ("text", "what is disputed, in the reader's language; empty without a dispute"),
    "page_url": ("text", "the customer's own page; empty where links are off"),
    "total": ("money", "what is asked for, credits deducted, one amount a currency"),
    "today": ("date", "the date, in words"),
    "items_count": ("number", "how many items are listed"),
    "items": ("list", "for one loop: number, issue_date, due_date, days_late, amount, reference"),
    "listing": ("table", "all items: a table, or aligned lines in the text part"),
}
#: What each of `items` has.
ITEM_FIELDS = ("number", "issue_date", "due_date", "days_late", "amount", "reference")
_ROOTS = frozenset(name.split(".")[0] for name in VARIABLES)
_FILTERS = frozenset({"default", "escape", "e", "join", "length", "lower", "title", "trim", "upper"})
_TESTS = frozenset({"defined", "undefined", "none"})
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.If, nodes.For,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Filter, nodes.Test,
)  # fmt: skip
_LONGEST_SOURCE = 50_000
_DEEPEST_NESTING = 30
_LONGEST_SUBJECT = 250


@dataclass(frozen=True, slots=True)
class TemplateText:
    """A template in one language. Without `html` the message has only its text part."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """Something wrong with a template: a stable code, the part it stands in, the line (1-based), what was
    expected."""

    code: str
    part: str
    line: int
    detail: str


class TemplateInvalidError(ValueError):
    """A template that cannot be filled; `fault` says why."""

    def __init__(self, fault: TemplateFault) -> None:
        super().__init__(f"{fault.part}, line {fault.line}: {fault.detail}")
        self.fault = fault


def template_faults(template: TemplateText) -> list[TemplateFault]:
    """Everything wrong with a template, part by part; empty when it may be saved."""
    parts = {"subject": template.subject, "text": template.text, "html": template.html or ""}
    return [fault for part, source in parts.items() for fault in _part_faults(part, source)]


def fill(template: TemplateText, part: str, variables: dict[str, object]) -> str:
    """One part with its variables filled in; only the HTML part is escaped. Raises TemplateInvalidError.

    A subject comes back as a single line whatever the variables hold: a name with a line break must not
    become a header of its own.
    """
    source = {"subject": template.subject, "text": template.text, "html": template.html or ""}[part]
    for fault in _part_faults(part, source):
        raise TemplateInvalidError(fault)
    try:
        filled = _environment(part == "html").from_string(source).render(variables)
    except (UndefinedError, SecurityError, TypeError) as error:
        fault = TemplateFault("template_value_missing", part, 1, "a variable has no such value")
        raise TemplateInvalidError(fault) from error
    return one_line(filled) if part == "subject" else filled


def one_line(subject: str) -> str:
    """A text for a subject line: no line break, no control character, not longer than mail programs show."""
    printable = "".join(char if char.isprintable() else " " for char in subject)
    return " ".join(printable.split())[:_LONGEST_SUBJECT]


@lru_cache
def _environment(escaped: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        autoescape=escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, cache_size=500
    )
    environment.globals.clear()
    return environment


@lru_cache(maxsize=1024)
def _part_faults(part: str, source: str) -> tuple[TemplateFault, ...]:
    if len(source) > _LONGEST_SOURCE:
        return (TemplateFault("template_too_long", part, 1, f"at most {_LONGEST_SOURCE} characters"),)
    try:
        tree = _environment(False).parse(source)
    except TemplateSyntaxError as error:
        return (TemplateFault("template_syntax", part, error.lineno, error.message or "not a template"),)
    except RecursionError:
        return (TemplateFault("template_syntax", part, 1, "nested too deeply"),)
    # Looking for variables compiles the tree, and compiling folds constants: `2 ** 99999999` must be gone before.
    return tuple(_forbidden(part, tree)) or tuple(_unknown_variables(part, tree))


def _forbidden(part: str, node: nodes.Node, depth: int = 0, loops: int = 0) -> Iterator[TemplateFault]:
    fault = _node_fault(node, depth, loops)
    if fault is not None:
        yield TemplateFault(fault[0], part, node.lineno, fault[1])
        return
    inside = loops + isinstance(node, nodes.For)
    for child in node.iter_child_nodes():
        yield from _forbidden(part, child, depth + 1, inside)


def _node_fault(node: nodes.Node, depth: int, loops: int) -> tuple[str, str] | None:
    """Why a node of the syntax tree is refused (code, detail), or None."""
    if not isinstance(node, _NODES):
        return "template_forbidden", f"{type(node).__name__} is not allowed"
    if depth > _DEEPEST_NESTING:
        return "template_forbidden", "nested too deeply"
    if isinstance(node, nodes.For) and (node.recursive or loops):
        return "template_forbidden", "a loop within a loop is not allowed"
    if isinstance(node, nodes.Getattr) and not isinstance(node.node, nodes.Name):
        return "template_forbidden", "only the listed variables have parts"
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        return "template_unknown_filter", f"no filter {node.name!r}"
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        return "template_forbidden", f"no test {node.name!r}"
    return None


def _unknown_variables(part: str, tree: nodes.Template) -> Iterator[TemplateFault]:
    for name in sorted(meta.find_undeclared_variables(tree) - _ROOTS):
        yield TemplateFault("template_unknown_variable", part, 1, f"no variable {name!r}")
    rows = {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
    known = VARIABLES.keys() | {f"{row}.{field}" for row in rows for field in ITEM_FIELDS}
    for access in tree.find_all(nodes.Getattr):
        name = f"{cast(nodes.Name, access.node).name}.{access.attr}"
        if name not in known:
            yield TemplateFault("template_unknown_variable", part, access.lineno, f"no variable {name!r}")
