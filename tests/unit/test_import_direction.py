"""Imports point one way: functions → bootstrap → aws → domain; and the domain knows no AWS, environment or clock."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "shared"
NOT_DOMAIN = {"aws", "bootstrap", "http"}
DOMAIN = sorted({path.parent.name for path in SHARED.glob("*/__init__.py")} - NOT_DOMAIN)
EDGES = (
    "functions",
    "shared.bootstrap",
    "shared.aws",
    "shared.http",
    "shared.settings",
    "shared.fresh_process",
    "shared.join_metrics",
)
CLOUD = ("boto3", "botocore", "aws_lambda_powertools", "moto")
CLIENTS = SHARED / "bootstrap/clients.py"

Place = tuple[Path, int]


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


DOMAIN_MODULES = modules(*(SHARED / folder for folder in DOMAIN))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names a module imports, wherever in it; those for type checkers only are left out."""
    guarded = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def attributes(tree: ast.AST) -> Iterator[str]:
    """Yield every dotted name a module uses."""
    yield from (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def parse(path: Path) -> ast.AST:
    return ast.parse(path.read_text(), str(path))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOMAIN_MODULES, ids=label)
def test_the_domain_imports_neither_its_edges_nor_a_cloud(path: Path) -> None:
    assert [name for name in imported(parse(path)) if within(name, (*EDGES, *CLOUD))] == []


@pytest.mark.parametrize("path", DOMAIN_MODULES, ids=label)
def test_the_domain_reads_no_environment_no_clock_and_rolls_no_dice(path: Path) -> None:
    tree = parse(path)
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}
    global_dice = {"np.random.seed", "np.random.rand", "np.random.randn", "np.random.choice", "np.random.shuffle"}
    forbidden = {*clocks, *global_dice, "os.environ", "os.getenv", "uuid.uuid4", "uuid.uuid1"}

    used = [name for name in attributes(tree) if any(name == bad or name.endswith(f".{bad}") for bad in forbidden)]

    assert used == []
    assert {"random", "secrets", "os.environ", "os.getenv", "uuid.uuid4"}.isdisjoint(imported(tree))


@pytest.mark.parametrize("path", modules(SHARED / "aws"), ids=label)
def test_adapters_know_neither_functions_nor_the_composition_root(path: Path) -> None:
    assert [name for name in imported(parse(path)) if within(name, ("functions", "shared.bootstrap"))] == []


@pytest.mark.parametrize("path", modules(SHARED), ids=label)
def test_the_library_knows_no_function(path: Path) -> None:
    assert [name for name in imported(parse(path)) if within(name, ("functions", "local", "tests", "bench"))] == []


def test_only_the_composition_root_names_clients_and_the_environment() -> None:
    named = {"boto3.client", "boto3.resource", "boto3.Session", "boto3.session", "os.environ"}

    users = {path for path in modules(SHARED, ROOT / "functions") if not named.isdisjoint(attributes(parse(path)))}

    assert users == {CLIENTS}


def test_no_module_of_the_product_loads_a_pickle() -> None:
    loaders = ("pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve")

    users = {
        path for path in modules(SHARED, ROOT / "functions") for name in imported(parse(path)) if within(name, loaders)
    }

    assert users == set()
