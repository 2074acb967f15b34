"""The routes by which operators read models, configurations, versions, checks and datasets."""

from hindsight.monitoring.results.check import CheckKind
from local.openapi.answers import CHECK
from local.openapi.read_answers import CONFIGURATION, DATASET, DATASET_WITH_PARTS, MODEL_ENTRY, VERSION
from local.openapi.route import Parameter, Route, flag, page
from local.openapi.schemas import TEXT

READS = [
    Route(
        name="list_models",
        method="get",
        path="/models",
        does="List the models, retired ones too",
        answer=page("models", MODEL_ENTRY),
        most=100,
        paged=True,
    ),
    Route(
        name="get_configuration",
        method="get",
        path="/models/{model}/configuration",
        does="Read a stored configuration as it was sent",
        answer=CONFIGURATION,
        query=(Parameter(name="revision", schema={"type": "integer", "minimum": 1}),),
    ),
    Route(
        name="list_configurations",
        method="get",
        path="/models/{model}/configurations",
        does="List the stored configurations, newest first",
        answer=page("configurations", CONFIGURATION),
        most=100,
        paged=True,
    ),
    Route(
        name="get_version",
        method="get",
        path="/models/{model}/versions/{version}",
        does="Read one version with its metrics and gate verdict",
        answer=VERSION,
    ),
    Route(
        name="list_checks",
        method="get",
        path="/models/{model}/checks",
        does="List the results of checks, newest first",
        answer=page("checks", CHECK),
        most=100,
        paged=True,
        query=(
            Parameter(name="kind", schema={"type": "string", "enum": [kind.value for kind in CheckKind]}),
            Parameter(name="from", schema=TEXT),
            Parameter(name="to", schema=TEXT),
            Parameter(name="version", schema=TEXT),
            flag("daily"),
        ),
    ),
    Route(
        name="list_datasets",
        method="get",
        path="/models/{model}/datasets",
        does="List datasets, newest first",
        answer=page("datasets", DATASET),
        most=1000,
        paged=True,
    ),
    Route(
        name="get_dataset",
        method="get",
        path="/models/{model}/datasets/{id}",
        does="Read a dataset's manifest, and links to its parts",
        answer=DATASET_WITH_PARTS,
        query=(flag("labels"),),
    ),
]
