"""The rules of the code's shape, each a function that reads a syntax tree and names what breaks it."""

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "consent_service"

# May import every part; no other part may import them. `app` wires, the others start processes or show pages.
FREE = frozenset({"app", "cli", "console", "core", "demo", "serve"})
# What every route needs of a request and an answer, and of the browser behind it; decides and stores nothing.
REQUEST_SIDE = frozenset({"web", "browser"})
ALLOWED = {
    "export": REQUEST_SIDE | {"stats", "events", "sites", "db"},
    "stats": REQUEST_SIDE | {"events", "consent", "sites", "db"},
    "collect": REQUEST_SIDE | {"consent", "sites", "db"},
    "consent": REQUEST_SIDE | {"ledger", "sites", "db"},
    "web": frozenset({"sites"}),
    "browser": frozenset({"web"}),
    "events": frozenset({"db"}),
    "ledger": REQUEST_SIDE | {"db"},
    "sites": REQUEST_SIDE | {"db"},
    "db": frozenset[str](),
}
CAPABILITIES = frozenset(ALLOWED) | FREE

# Holds the application's parts: names their types, imports none of them. It needs a request, so only modules
# that answer requests reach for it; all others are handed what they need.
HOLDER = "services"

# No request, no database, no key: these say what is right, and are tested by calling them.
PURE = (
    "consent/policy*.py",
    "consent/banner*.py",
    "consent/difference.py",
    "consent/decision.py",
    "consent/gate.py",
    "stats/query.py",
    "stats/parse*.py",
    "stats/periods.py",
    "events/visits.py",
    "collect/request.py",
    "collect/source*.py",
    "sites/settings*.py",
    "ledger/tree.py",
)
IMPURE_LIBRARIES = frozenset({"flask", "sqlalchemy", "itsdangerous"})

DECISION_WRITER = "consent/record.py"
STORE_WRITER = "serve/keeper.py"
STORE_WRITES = frozenset({"apply", "erase", "restrict", "retain", "compact"})
GRANT_MAKER = "consent/gate.py"

# Where any failure at all must become an answer, a logged line, or another process's news.
CATCH_ALL_EDGES = frozenset({"db/writer.py", "serve/keeping.py"})
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager"})
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 45

SOURCE_SUFFIXES = frozenset({".py", ".js", ".mjs", ".ts", ".css", ".html"})
SOURCE_DIRECTORIES = (PACKAGE, "migrations", "tests", "bench", "tools", "static")
NOT_OURS = ("*/node_modules/*", "*/vendor/*", "*.min.*", "static/consent*.js")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path from the repository's top, with slashes, and its syntax tree."""

    path: str
    tree: ast.Module

    @property
    def inner(self) -> str:
        """The path inside the package, or "" for a file outside it."""
        return self.path.removeprefix(f"{PACKAGE}/") if self.path.startswith(f"{PACKAGE}/") else ""

    @property
    def part(self) -> str:
        """The capability, or the name of a module that lies directly in the package."""
        return self.inner.split("/")[0].removesuffix(".py")

    def says(self, node: ast.AST, message: str) -> str:
        """Word a breach with its place."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


Rule = Callable[[Module], Iterator[str]]


def imports(module: Module) -> Iterator[tuple[ast.AST, str, str]]:
    """Yield every import anywhere in the module as (node, module imported from, name or "")."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = PurePosixPath(module.path).parts[: -node.level]
                source = ".".join([*here, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node, source, alias.name


def _target(source: str, name: str) -> str:
    """Give the part of the package that an import reaches, "" for other libraries."""
    steps = source.split(".")
    if steps[0] != PACKAGE:
        return ""
    return steps[1] if len(steps) > 1 else name


def import_rules(module: Module) -> Iterator[str]:
    """Keep the direction of imports between capabilities."""
    if not module.inner or module.part in FREE:
        return
    allowed = ALLOWED.get(module.part, frozenset())
    answers_requests = any(source.split(".")[0] == "flask" for _, source, _ in imports(module))
    types_only = _types_only(module.tree) if module.part == HOLDER else frozenset[ast.AST]()
    for node, source, name in imports(module):
        target = _target(source, name)
        if target == HOLDER and not answers_requests:
            yield module.says(node, f"only what answers requests may import {HOLDER}")
        if node in types_only or target not in CAPABILITIES or target == module.part or target in allowed:
            continue
        if module.part == "events" and (source, name) == (f"{PACKAGE}.consent.gate", "Grant"):
            continue
        yield module.says(node, f"{module.part} must not import {target} ({source})")


def pure_rules(module: Module) -> Iterator[str]:
    """Keep pure modules free of requests, databases and keys."""
    if not any(fnmatch(module.inner, pattern) for pattern in PURE):
        return
    for node, source, _ in imports(module):
        library = source.split(".")[0]
        if library in IMPURE_LIBRARIES or source.startswith(f"{PACKAGE}.db"):
            yield module.says(node, f"a pure module must not import {source}")


def grant_rule(module: Module) -> Iterator[str]:
    """Let only the gate construct a Grant."""
    if not module.inner or module.inner == GRANT_MAKER:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "Grant":
            yield module.says(node, "only the gate constructs a Grant")
        if isinstance(node, ast.Call) and _last_name(node.func) == "replace" and "grant" in _names(node.args[:1]):
            yield module.says(node, "a Grant is never altered")


def decision_rule(module: Module) -> Iterator[str]:
    """Let only one module insert or update decisions."""
    if not module.inner or module.inner == DECISION_WRITER:
        return
    message = f"only {DECISION_WRITER} writes decisions"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and re.search(r"insert|update", _last_name(node.func)):
            method_of = node.func.value if isinstance(node.func, ast.Attribute) else None
            if any(_last_name(target) == "decision" for target in [*node.args[:1], method_of]):
                yield module.says(node, message)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"(insert\s+into|update)\s+\"?decision\b", node.value, re.IGNORECASE):
                yield module.says(node, message)


def event_rule(module: Module) -> Iterator[str]:
    """Let only the keeper call what changes the event store; others may ask the keeper."""
    if not module.inner or module.inner == STORE_WRITER or module.part == "events":
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in STORE_WRITES and _last_name(node.func.value).lstrip("_") != "keeper":
            yield module.says(node, f"only {STORE_WRITER} calls .{node.func.attr}() of the event store")


def catch_all_rule(module: Module) -> Iterator[str]:
    """Forbid catching everything outside the listed edges, unless it is to undo something and raise again."""
    if not module.inner or module.inner in CATCH_ALL_EDGES:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler) or _raises_again(node):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if any(error is None or _last_name(error) in {"Exception", "BaseException"} for error in caught):
            yield module.says(node, "catches everything")


def name_rule(module: Module) -> Iterator[str]:
    """Forbid module names that say nothing."""
    steps = PurePosixPath(module.path).with_suffix("").parts
    if vague := VAGUE_NAMES.intersection(steps):
        yield module.says(module.tree, f"a module named {', '.join(sorted(vague))} says nothing of what is in it")


def function_rule(module: Module) -> Iterator[str]:
    """Keep functions short; migrations list a schema and may be as long as it is."""
    if module.path.startswith("migrations/"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield module.says(node, f"{node.name} has {lines} lines, more than {MAX_FUNCTION_LINES}")


RULES: tuple[Rule, ...] = (
    import_rules,
    pure_rules,
    grant_rule,
    decision_rule,
    event_rule,
    catch_all_rule,
    name_rule,
    function_rule,
)


def breaches(path: str, source: str) -> list[str]:
    """Name everything in one Python file that breaks a rule."""
    module = Module(path, ast.parse(source, filename=path))
    return [breach for rule in RULES for breach in rule(module)]


def long_file(path: str, source: str) -> str | None:
    """Name a file of ours that is too long."""
    lines = len(source.splitlines())
    return f"{path}: {lines} lines, more than {MAX_FILE_LINES}" if lines > MAX_FILE_LINES else None


def sources(root: Path = ROOT) -> Iterable[tuple[str, str]]:
    """Yield path and text of every source file of ours: not what is built, installed or taken from others."""
    files = [root / "wsgi.py"]
    for directory in SOURCE_DIRECTORIES:
        for path, directories, names in os.walk(root / directory):
            directories[:] = sorted(set(directories) - {"node_modules", "__pycache__"})
            files.extend(Path(path, name) for name in sorted(names))
    for file in files:
        path = file.relative_to(root).as_posix()
        if file.suffix in SOURCE_SUFFIXES and not any(fnmatch(path, pattern) for pattern in NOT_OURS):
            yield path, file.read_text()


def _types_only(tree: ast.Module) -> frozenset[ast.AST]:
    guards = [n for n in tree.body if isinstance(n, ast.If) and _last_name(n.test) == "TYPE_CHECKING"]
    return frozenset(node for guard in guards for statement in guard.body for node in ast.walk(statement))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _last_name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {_last_name(node) for node in nodes}
