"""The routes by which operators read models, configurations, versions, checks and datasets."""

from local.openapi.route import Route, page
from local.openapi.schemas import TEXT, WHOLE, listed, record

MODEL_ENTRY = record(
    {
        "model": TEXT,
        "task": TEXT,
        "revision": WHOLE,
        "serving": TEXT,
        "champion": {"type": ["string", "null"]},
        "state": TEXT,
        "attention": listed(TEXT),
    }
)
CONFIGURATION = record(
    {
        "model": TEXT,
        "revision": WHOLE,
        "created_at": TEXT,
        "content_type": TEXT,
        "document": TEXT,
        "configuration": {"type": "object"},
    }
)
CHECK = record(
    {"model": TEXT, "kind": TEXT, "at": TEXT, "verdict": TEXT, "reason": TEXT, "summary": {"type": "object"}},
    {"model_version": TEXT, "report_url": TEXT, "page_url": TEXT},
)
DATASET_FIELDS = {
    "dataset_id": TEXT,
    "manifest_key": TEXT,
    "digest": TEXT,
    "as_of": TEXT,
    "configuration_revision": WHOLE,
    "counts": {"type": "object"},
}
DATASET = record(DATASET_FIELDS, {"buckets": WHOLE, "expired_at": TEXT})
PART = record({"format": TEXT}, {"url": TEXT})
DATASET_WITH_PARTS = record(
    {
        **DATASET_FIELDS,
        "manifest": {"type": "object"},
        "manifest_url": TEXT,
        "sources_total": WHOLE,
        "parts": record({"train": PART, "holdout": PART}),
    },
    {"buckets": WHOLE, "expired_at": TEXT},
)
VERSION = record({"version": TEXT, "gate": {"type": "object"}, "lineage": {"type": "object"}})
READS = [
    Route(
        method="get",
        path="/models",
        does="List the models in service",
        answer=page("models", MODEL_ENTRY),
        most=100,
    ),
    Route(
        method="get",
        path="/models/{model}/configuration",
        does="Read a stored configuration as it was sent",
        answer=CONFIGURATION,
        query={"revision": False},
    ),
    Route(
        method="get",
        path="/models/{model}/configurations",
        does="List the stored configurations, newest first",
        answer=page("configurations", CONFIGURATION),
        most=100,
    ),
    Route(
        method="get",
        path="/models/{model}/versions/{version}",
        does="Read one version with what it proved",
        answer=VERSION,
    ),
    Route(
        method="get",
        path="/models/{model}/checks",
        does="List the results of checks, newest first",
        answer=page("checks", CHECK),
        most=100,
        query={"kind": False, "from": False, "to": False},
    ),
    Route(
        method="get",
        path="/models/{model}/datasets",
        does="List datasets, newest first",
        answer=page("datasets", DATASET),
        most=1000,
    ),
    Route(
        method="get",
        path="/models/{model}/datasets/{id}",
        does="Read a dataset's manifest, and links to its parts",
        answer=DATASET_WITH_PARTS,
        query={"labels": False},
    ),
]
