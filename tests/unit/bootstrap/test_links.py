"""Links to objects of the lake: signed so that every region takes them, for the host that answers."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from hindsight.bootstrap import stores
from tests.ports import forget_ports

BUCKET = "hindsight-lake-123456789012"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("LAKE_BUCKET", BUCKET)
    monkeypatch.setenv("MODELS_TABLE", "models")
    forget_ports()
    yield
    forget_ports()


def link() -> str:
    return stores.lake().link("checks/model=bike/date=2026-03-01/a-drift.html", timedelta(hours=1))


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1"])
def test_a_link_has_the_newest_signature_and_the_host_of_its_region(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    address = urlsplit(link())
    assert address.netloc == f"{BUCKET}.s3.{region}.amazonaws.com"
    signed = parse_qs(address.query)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Signature"]
    assert f"/{region}/s3/" in signed["X-Amz-Credential"][0]


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_at_another_endpoint_a_link_names_the_bucket_in_its_path(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv(name, "http://localhost:4566")
    address = urlsplit(link())
    assert (address.netloc, address.path.split("/")[1]) == ("localhost:4566", BUCKET)
    assert "X-Amz-Signature" in address.query
