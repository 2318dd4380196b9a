"""Writes rpa_bridge/sync.pyi: the contract's verbs as `rpa_bridge.sync` offers them, without `async`.

Run it after every change of the contract; with --check it only tells whether the stub is current.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "rpa_bridge"
STUB = PACKAGE / "sync.pyi"
HEAD = """\
# Made by tools/generate_sync_stub.py from the contract; change that, and run it again.

STREAMING: frozenset[str]
"""
BRIDGE_NAMES = {"__aenter__": "__enter__", "__aexit__": "__exit__", "aclose": "close"}

Method = ast.FunctionDef | ast.AsyncFunctionDef


class Sources:
    """The modules that the stub is made from, and where their names come from."""

    def __init__(self) -> None:
        self.homes = {
            "AbstractContextManager": "contextlib",
            "Generator": "collections.abc",
            "Iterator": "collections.abc",
        }

    def classes(self, module: str) -> dict[str, ast.ClassDef]:
        """The classes of a module, by name."""
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                home = f"{module.rpartition('.')[0]}.{node.module}" if node.level else str(node.module)
                self.homes.update({name.name: home for name in node.names if name.name not in self.homes})
        for node in tree.body:
            self.homes.update(dict.fromkeys(_defined(node), module))
        return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}

    def imports(self, body: str, own: set[str]) -> str:
        """The import lines for every name that the body uses and does not define."""
        used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)} - own
        return "".join(f"from {self.homes[name]} import {name}\n" for name in sorted(used & self.homes.keys()))


class Blocking(ast.NodeTransformer):
    """Types as a program without an event loop meets them."""

    def __init__(self, *, given: bool) -> None:
        self._given = given

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        inner = ast.unparse(node.slice)
        match ast.unparse(node.value):
            case "AsyncIterator":
                return _type(f"Generator[{inner}]")
            case "AbstractAsyncContextManager":
                return _type(f"AbstractContextManager[{inner}]")
            case "AsyncIterable" if self._given:
                return _type(f"Iterator[{inner}] | AsyncIterable[{inner}]")
        return node


def render() -> str:
    """The stub's text."""
    sources = Sources()
    adapter = sources.classes("rpa_bridge.contract.adapter")["Adapter"]
    service = sources.classes("rpa_bridge.contract.features")["Service"]
    transport = sources.classes("rpa_bridge.transport.base")["Transport"]
    bridge = sources.classes("rpa_bridge.bridge")["Bridge"]
    nouns = [
        node
        for path in sorted((PACKAGE / "contract").glob("*.py"))
        for node in sources.classes(f"rpa_bridge.contract.{path.stem}").values()
        if "Service" in map(ast.unparse, node.bases)
    ]
    parts = [
        _class(service, attributes=("adapter_name: str", "clock: Clock"), without=("__init__", "absent")),
        *(_class(noun, bases=("Service",)) for noun in nouns),
        _class(transport),
        _class(adapter, attributes=("connection: str",), without=("__init__", "open", "from_runner_args")),
        _class(bridge),
    ]
    body = "\n\n".join(parts)
    own = {node.name for node in (service, *nouns, transport, adapter, bridge)}
    return _formatted(f"{sources.imports(body, own)}\n{HEAD}\n{body}\n".replace("`async with", "`with"))


def _class(
    node: ast.ClassDef, *, bases: tuple[str, ...] = (), attributes: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> str:
    """A class without what is private; `attributes` are those that only its constructor names."""
    body: list[ast.stmt] = [one for one in node.body[:1] if isinstance(one, ast.Expr)]
    body += [ast.parse(one).body[0] for one in attributes]
    for one in node.body:
        if isinstance(one, ast.AnnAssign):
            body.append(ast.parse(f"{ast.unparse(one.target)}: {_instance_type(one.annotation)}").body[0])
        elif isinstance(one, Method) and one.name not in without and (one.name[0] != "_" or one.name[:2] == "__"):
            body.append(_method(one, BRIDGE_NAMES.get(one.name, one.name) if node.name == "Bridge" else one.name))
    shell = ast.ClassDef(node.name, [_type(base) for base in bases], [], body, [])
    return ast.unparse(ast.fix_missing_locations(shell))


def _method(node: Method, name: str) -> ast.FunctionDef:
    arguments = node.args
    for one in (*arguments.args, *arguments.kwonlyargs):
        one.annotation = one.annotation and Blocking(given=True).visit(one.annotation)
    returns = node.returns and Blocking(given=False).visit(node.returns)
    decorators = [one for one in node.decorator_list if ast.unparse(one) in {"property", "classmethod"}]
    docstring = [one for one in node.body[:1] if ast.get_docstring(node)]
    return ast.FunctionDef(name, arguments, docstring or [ast.Expr(ast.Constant(...))], decorators, returns)


def _instance_type(annotation: ast.expr) -> str:
    """The annotation without ClassVar: a face has no attributes but its own object's."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "ClassVar":
        annotation = annotation.slice
    return ast.unparse(annotation)


def _type(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _formatted(text: str) -> str:
    for step in (["check", "--fix", "--select", "I"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *step, "--quiet", "--stdin-filename", str(STUB), "-"]
        done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own
        text = done.stdout
    return text


def main() -> None:
    """Writes the stub, or with --check ends with 1 when it is not current."""
    text = render()
    if "--check" not in sys.argv[1:]:
        STUB.write_text(text, encoding="utf-8")
    elif not STUB.exists() or STUB.read_text(encoding="utf-8") != text:
        sys.exit(f"{STUB.relative_to(ROOT)} is not current; run python tools/generate_sync_stub.py")


if __name__ == "__main__":
    main()
