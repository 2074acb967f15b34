"""Imports point one way: a package imports only those above it in one list; the domain knows no AWS, clock or dice."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "shared/hindsight"

DOMAIN = (
    "hindsight.core",
    "hindsight.config",
    "hindsight.entities",
    "hindsight.lake",
    "hindsight.label_records",
    "hindsight.validation",
    "hindsight.runs",
    "hindsight.registry",
    "hindsight.quarantine",
    "hindsight.labels",
    "hindsight.labels.joining",
    "hindsight.labels.archiving",
    "hindsight.labels.relabelling",
    "hindsight.ingestion",
    "hindsight.replay",
    "hindsight.serving",
    "hindsight.review.selection",
    "hindsight.review.tasks",
    "hindsight.review.requests",
    "hindsight.evaluation",
    "hindsight.evaluation.sequential",
    "hindsight.profiles",
    "hindsight.profiles.logs",
    "hindsight.monitoring.results",
    "hindsight.monitoring.estimation",
    "hindsight.monitoring.performance",
    "hindsight.monitoring.label_health",
    "hindsight.monitoring.drift",
    "hindsight.monitoring.checks",
    "hindsight.datasets.formats",
    "hindsight.datasets",
    "hindsight.datasets.records",
    "hindsight.datasets.building",
    "hindsight.datasets.exports",
    "hindsight.training.models",
    "hindsight.training.fitting",
    "hindsight.training.gate",
    "hindsight.training.estimators",
    "hindsight.training.model_card",
    "hindsight.training",
    "hindsight.triggers",
    "hindsight.triggers.signals",
    "hindsight.triggers.runs",
    "hindsight.triggers.evaluation",
    "hindsight.rollout",
    "hindsight.rollout.approval",
    "hindsight.rollout.external",
    "hindsight.rollout.evaluation",
    "hindsight.retention",
    "hindsight.privacy",
    "hindsight.reporting",
)
EDGES = (
    "hindsight.adapters",
    "hindsight.adapters.dynamodb",
    "hindsight.adapters.predictions_table",
    "hindsight.adapters.models_table",
    "hindsight.adapters.jobs_table",
    "hindsight.adapters.aws",
    "hindsight.runtime",
    "hindsight.runtime.http",
    "hindsight.bootstrap",
)
# Each package with all that lies in it, except where a package inside is listed for itself.
LAYERS = (
    *DOMAIN,
    *EDGES,
    "hindsight.testing",
    "hindsight.__main__",
    "pipelines",
    "functions",
    "local",
    "bench",
    "tests",
)
MOST_MODULES = 12
FLOORS = 2
CLOUD = ("boto3", "botocore", "aws_lambda_powertools", "moto")
CLIENTS = LIBRARY / "bootstrap/clients.py"
# Starts the commands of a checkout; it hands its own environment on.
LAUNCHER = LIBRARY / "__main__.py"


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def dotted(path: Path) -> str:
    """Name a module as one imports it; the library lies in ``shared/``."""
    base = ROOT / "shared" if path.is_relative_to(ROOT / "shared") else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


ALL_MODULES = modules(LIBRARY, *(ROOT / folder for folder in ("pipelines", "functions", "local", "bench", "tests")))
NAMES = {dotted(path) for path in ALL_MODULES}
DOMAIN_MODULES = [path for path in modules(LIBRARY) if any(within(dotted(path), (name,)) for name in DOMAIN)]


def imported(tree: ast.AST) -> Iterator[str]:
    """List the dotted names that a module imports at any depth; those for type checkers only are left out."""
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
    """List the dotted names that a module uses."""
    yield from (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


@cache
def parse(path: Path) -> ast.AST:
    return ast.parse(path.read_text(), str(path))


def layer(name: str) -> int:
    """Find the place of a module's package in the list."""
    listed = [package for package in LAYERS if within(name, (package,))]
    assert listed, f"{name} is in no listed package"
    return LAYERS.index(max(listed, key=len))


def offences(paths: Iterable[Path], forbidden: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Name each module that imports something of forbidden packages, with what it imports."""
    found = {dotted(path): [name for name in imported(parse(path)) if within(name, forbidden)] for path in paths}
    return {name: names for name, names in found.items() if names}


def test_a_package_imports_only_packages_above_it_in_the_list() -> None:
    climbs = [
        (name, other)
        for path in ALL_MODULES
        if path.name != "__init__.py"
        for name in [dotted(path)]
        for other in sorted({found for found in imported(parse(path)) if found in NAMES})
        if layer(other) > layer(name)
    ]

    assert climbs == []


def test_every_listed_package_exists_once() -> None:
    assert len(set(LAYERS)) == len(LAYERS)
    assert {name for name in LAYERS if not any(within(module, (name,)) for module in NAMES)} == set()


def test_no_floor_of_the_library_has_more_than_twelve_modules() -> None:
    floors: dict[Path, int] = {}
    for path in modules(LIBRARY):
        if path.name != "__init__.py":
            floors[path.parent] = floors.get(path.parent, 0) + 1

    assert {dotted(floor): count for floor, count in floors.items() if count > MOST_MODULES} == {}
    assert max(len(floor.relative_to(LIBRARY).parts) for floor in floors) <= FLOORS


def test_the_domain_imports_neither_its_edges_nor_a_cloud() -> None:
    assert offences(DOMAIN_MODULES, (*EDGES, *CLOUD)) == {}


def test_the_domain_reads_no_environment_no_clock_and_rolls_no_dice() -> None:
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}
    global_dice = {"np.random.seed", "np.random.rand", "np.random.randn", "np.random.choice", "np.random.shuffle"}
    forbidden = {*clocks, *global_dice, "os.environ", "os.getenv", "uuid.uuid4", "uuid.uuid1"}

    used = {
        (dotted(path), name)
        for path in DOMAIN_MODULES
        for name in attributes(parse(path))
        if any(name == bad or name.endswith(f".{bad}") for bad in forbidden)
    }

    assert used == set()
    assert offences(DOMAIN_MODULES, ("random", "secrets", "os.environ", "os.getenv", "uuid.uuid4")) == {}


def test_the_library_knows_no_function_and_no_test() -> None:
    assert offences(modules(LIBRARY), ("functions", "local", "tests", "bench", "pytest", "hypothesis")) == {}


def test_deployed_code_uses_no_helpers_of_tests() -> None:
    product = [path for path in modules(LIBRARY, ROOT / "functions") if "testing" not in path.parts]

    assert offences(product, ("hindsight.testing",)) == {}


def test_only_the_composition_root_names_clients_and_the_environment() -> None:
    named = {"boto3.client", "boto3.resource", "boto3.Session", "boto3.session", "os.environ"}

    users = {path for path in modules(LIBRARY, ROOT / "functions") if not named.isdisjoint(attributes(parse(path)))}

    assert users == {CLIENTS, LAUNCHER}


def test_no_module_of_the_product_loads_a_pickle() -> None:
    loaders = ("pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve")

    assert offences(modules(LIBRARY, ROOT / "functions"), loaders) == {}


def test_serving_pointer_is_moved_by_the_rollout_package_alone() -> None:
    product = [path for path in modules(LIBRARY, ROOT / "functions") if "testing" not in path.parts]

    movers = {dotted(path) for path in product if any(".move_pointer" in name for name in attributes(parse(path)))}

    assert movers
    assert {name for name in movers if not within(name, ("hindsight.rollout",))} == set()
