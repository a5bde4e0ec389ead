"""Measures the structure of the package: files, floors, circles, functions, and what stands at its public doors.

    python scripts/structure.py [FOLDER]

FOLDER is the package, by default `nmjmc` of this checkout; docs/design.md holds what it said.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def main(folder: Path) -> None:
    """Print the table."""
    files = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    functions = [(length(f), f) for tree in files.values() for f in functions_of(tree)]
    lengths = sorted(n for n, _ in functions)
    arrows = {(a, b) for path, tree in files.items() for a, b in imports(path, tree, folder)}
    cli = [n for path, n in lines.items() if path.relative_to(folder).parts[0] == "cli"]
    rows = {
        "files": len(files),
        "lines": sum(lines.values()),
        "longest file": max(lines.values()),
        "files over 300 lines": sum(n > 300 for n in lines.values()),
        "functions": len(functions),
        "function, median / p90 / longest": f"{at(lengths, 0.5)} / {at(lengths, 0.9)} / {lengths[-1]}",
        "files of cli": len(cli),
        "lines of cli": sum(cli),
        "folders": len({path.parent for path in files}),
        "circles of files": circles(arrows),
        "circles of folders": circles({(top(a), top(b)) for a, b in arrows if top(a) != top(b)}),
        "calls of `import_module`": sum(looked_up(tree) for tree in files.values()),
        "public functions with Any": sum(has_any(f) for tree in files.values() for f in functions_of(tree)),
        "bare `except Exception`": sum(bare(tree) for tree in files.values()),
        "names of `import nmjmc`": len(public(files[folder / "__init__.py"])),
    }
    for name, value in rows.items():
        print(f"| {name} | {value:,} |" if isinstance(value, int) else f"| {name} | {value} |")


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def at(values: list[int], part: float) -> int:
    """A quantile of sorted numbers."""
    return values[min(int(part * len(values)), len(values) - 1)]


def module_of(path: Path, folder: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, tree: ast.AST, folder: Path) -> Iterator[tuple[str, str]]:
    """Which file imports which of ours, also inside functions; not for type checkers alone."""
    known = {module_of(other, folder) for other in folder.rglob("*.py")}
    own = module_of(path, folder)
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == folder.name:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield own, whole if whole in known else node.module
        elif isinstance(node, ast.Import):
            yield from ((own, n.name) for n in node.names if n.name in known)


def top(module: str) -> str:
    """The folder or file below the package."""
    return ".".join(module.split(".")[:2])


def circles(arrows: set[tuple[str, str]]) -> int:
    """Groups of several that can all be reached from each other (Tarjan's strongly connected components)."""
    ahead: dict[str, set[str]] = {}
    for a, b in arrows:
        if a != b:
            ahead.setdefault(a, set()).add(b)
    reach = {start: reached(start, ahead) for start in ahead}
    groups = {frozenset({a, *(b for b in reach[a] if a in reach.get(b, set()))}) for a in reach}
    return sum(len(group) > 1 for group in groups)


def reached(start: str, ahead: dict[str, set[str]]) -> set[str]:
    """All that can be reached from one."""
    found: set[str] = set()
    frontier = [start]
    while frontier:
        new = ahead.get(frontier.pop(), set()) - found
        found |= new
        frontier.extend(new)
    return found


def looked_up(tree: ast.AST) -> int:
    """Calls of `import_module`."""
    return sum(
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
        for node in ast.walk(tree)
    )


def has_any(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a public function takes or gives `Any` itself."""
    if function.name.startswith("_"):
        return False
    every = [*function.args.args, *function.args.kwonlyargs]
    given = [a.annotation for a in every if a.annotation] + ([function.returns] if function.returns else [])
    return any(ast.unparse(annotation) == "Any" for annotation in given)


def bare(tree: ast.AST) -> int:
    """Handlers of every exception."""
    handlers = (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    return sum(h.type is None or ast.unparse(h.type) in ("Exception", "BaseException") for h in handlers)


def public(tree: ast.Module) -> list[str]:
    """The names that a package says it has."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "nmjmc")
