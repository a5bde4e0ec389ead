"""The house has no circle of imports: not at the heads of files, not within functions, and not by names in text."""

import ast
from pathlib import Path

import pytest

import nmjmc

pytestmark = pytest.mark.unit
ROOT = Path(nmjmc.__file__).parent
LOOKED_UP = {"nmjmc", "nmjmc.cli.main"}
"""Modules that may look up one of ours by its name: what `import nmjmc` offers, and the commands."""


def _name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in ROOT.rglob("*.py") if "_configs" not in path.parts}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def _is_of_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _imported(name, node):
    """Every module of ours that a module imports anywhere in it; what only a type checker reads is left out."""
    for child in ast.iter_child_nodes(node):
        if _is_of_types(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            package = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
            base = package[: len(package) - child.level + 1] if child.level else []
            base = ".".join([*base, *([child.module] if child.module else [])])
            yield from (f"{base}.{alias.name}" for alias in child.names)
        yield from _imported(name, child)


def _module(found):
    """The module that a dotted name is, or is in; the package itself is imported by all that is in it."""
    while found and found not in MODULES:
        found = found.rpartition(".")[0]
    return found if found != "nmjmc" else ""


def _circles(graph):
    """Pairs of modules that can be reached from each other."""
    reached = {}
    for start in graph:
        seen, todo = set(), [start]
        while todo:
            for found in graph[todo.pop()] - seen:
                seen.add(found)
                todo.append(found)
        reached[start] = seen
    return sorted({tuple(sorted((a, b))) for a in graph for b in reached[a] if a != b and a in reached[b]})


def test_no_module_can_be_reached_from_what_it_imports():
    graph = {n: {_module(f) for f in _imported(n, tree)} - {n, ""} for n, tree in TREES.items()}
    assert len(graph) > 300 and "nmjmc.errors" in graph["nmjmc.fitting.fit"]
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [("b", "c")]
    assert _circles(graph) == []


def test_no_module_of_ours_is_imported_by_a_name_in_text():
    told = []
    for name in MODULES.keys() - LOOKED_UP:
        for node in ast.walk(TREES[name]):
            called = isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1]
            if called in ("import_module", "__import__") and "nmjmc" in ast.unparse(node):
                told.append(f"{name}, line {node.lineno}")
    assert told == []
