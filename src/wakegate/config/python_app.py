"""Recognises a Python web app by its files and imports: Django, Flask, FastAPI, Starlette, or a server of its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from wakegate.config.recipe import Recipe, text_of

MODULES = ("app.py", "main.py", "wsgi.py", "asgi.py", "server.py")
SERVERS = ("http.server", "wsgiref", "aiohttp", "tornado", "asyncio.start_server")
ASGI = {"fastapi": "FastAPI", "starlette": "Starlette"}


def from_django(folder: Path) -> Recipe | None:
    """Run a Django site by gunicorn where it is required, else by its own server."""
    if "django" not in text_of(folder / "manage.py").lower():
        return None
    sites = sorted(path.parent.name for path in folder.glob("*/wsgi.py"))
    if sites and _requires(folder, "gunicorn"):
        command = (_program(folder, "gunicorn"), f"{sites[0]}.wsgi", "-b", "127.0.0.1:{port}")
        return Recipe(found="manage.py, a Django site, and gunicorn", command=command)
    server = (_program(folder, "python3"), "manage.py", "runserver", "--noreload", "127.0.0.1:{port}")
    note = "Django's own server is for development; with gunicorn in your requirements, run wakegate init again."
    return Recipe(found="manage.py, a Django site", command=server, notes=(note,))


def from_module(folder: Path) -> Recipe | None:
    """Run the first module that imports something that serves."""
    for name in MODULES:
        source = text_of(folder / name)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: brackets by the thousand
            continue
        imported = set(_imports(tree))
        for recognise in (_asgi, _flask, _own_server):
            recipe = recognise(folder, name, tree, imported)
            if recipe is not None:
                return recipe
    return None


def _asgi(folder: Path, name: str, tree: ast.Module, imported: set[str]) -> Recipe | None:
    framework = next((one for one in ASGI if one in imported), None)
    if framework is None:
        return None
    app, is_factory = _app(tree, ASGI[framework])
    command = [_program(folder, "uvicorn"), f"{name[:-3]}:{app}", "--port", "{port}"]
    return Recipe(found=f"{name}, which imports {framework}", command=tuple(command + ["--factory"] * is_factory))


def _flask(folder: Path, name: str, tree: ast.Module, imported: set[str]) -> Recipe | None:
    if "flask" not in imported:
        return None
    app, is_factory = _app(tree, "Flask")
    place = f"{name[:-3]}:{app}{'()' * is_factory}"
    if _requires(folder, "gunicorn"):
        command = (_program(folder, "gunicorn"), place, "-b", "127.0.0.1:{port}")
        return Recipe(found=f"{name}, which imports flask, and gunicorn", command=command)
    server = (_program(folder, "flask"), "--app", place, "run", "--port", "{port}")
    note = "Flask's own server is for development; with gunicorn in your requirements, run wakegate init again."
    return Recipe(found=f"{name}, which imports flask", command=server, notes=(note,))


def _own_server(folder: Path, name: str, tree: ast.Module, imported: set[str]) -> Recipe | None:
    source = ast.unparse(tree)
    server = next((one for one in SERVERS if one in imported or f"{one}(" in source), None)
    if server is None:
        return None
    found, python = f"{name}, which uses {server}", _program(folder, "python3")
    if "sys.argv" in source:
        return Recipe(found=found, command=(python, name, "{port}"))
    port = 0 if re.search(r"['\"]PORT['\"]", source) else next(_ports(tree), 0)
    if port:
        note = f"It listens on {port} always, so only one replica can run; let it take the port from PORT to scale."
        return Recipe(found=found, command=(python, name), port=port, notes=(note,))
    return Recipe(found=found, command=(python, name), notes=("It must listen on the port of the variable PORT.",))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Give each imported module, with its package."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            yield from (name, name.partition(".")[0])


def _app(tree: ast.Module, framework: str) -> tuple[str, bool]:
    """Return the name that the app has in its module, and whether it is a function that makes one."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call) and framework in ast.unparse(value.func):
            return target.id, False
    makers = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return next(((name, True) for name in ("create_app", "make_app") if name in makers), ("app", False))


def _ports(tree: ast.Module) -> Iterator[int]:
    """Give the port of each address that stands in the source: ("", 8000)."""
    for node in ast.walk(tree):
        match node:
            case ast.Tuple(elts=[ast.Constant(value=str()), ast.Constant(value=int(port))]) if 0 < port < 65_536:
                yield port


def _requires(folder: Path, package: str) -> bool:
    files = [*folder.glob("requirements*.txt"), *(folder / name for name in ("pyproject.toml", "Pipfile", "setup.cfg"))]
    return any(re.search(rf"(?<![\w-]){package}(?![\w-])", text_of(file).lower()) for file in files)


def _program(folder: Path, name: str) -> str:
    """Return a program of the virtual environment here, so that nobody has to activate it first."""
    inside = next((f"{venv}/bin/{name}" for venv in (".venv", "venv") if (folder / venv / "bin" / name).exists()), None)
    return inside or name
