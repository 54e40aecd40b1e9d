"""The publisher's side: a component folder on a laptop, checked, sent, and watched until it is published."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
import yaml

from services.models.errors import NotInOrder
from services.models.inference.release import ReleaseFolder, open_release, versions_of
from services.models.logic import checking
from services.models.logic.packages import ReleaseIn
from shared.errors import BadRequest, DependencyDown
from shared.http.service_app import flat_errors

_SENT = (
    "name",
    "kind",
    "title",
    "answers",
    "summary",
    "valid_for",
    "source",
    "licence",
    "naive",
    "industries",
    "directions",
)
_LINEAGE = ("protocol", "metrics", "data", "parameters")
_ENDED = ("done", "failed", "cancelled", "dead")


def package_of(root: Path, name: str) -> dict[str, Any]:
    """The newest release as it is sent. Raises `NotInOrder` with what the checks and the schema say."""
    found = list(checking.findings([root], name))
    if found:
        raise NotInOrder(component=name, findings=[f"{each.rule}: {each.place}: {each.message}" for each in found])
    about = open_release([root], name, versions_of(root / name)[-1])
    intervals = about.folder / "intervals.json"
    package = {
        "version": about.version,
        "signature": _written(about.folder / "signature.yaml"),
        "examples": about.examples,
        "intervals": json.loads(intervals.read_text(encoding="utf-8")) if intervals.exists() else None,
        "lineage": {name: about.lineage[name] for name in _LINEAGE if name in about.lineage},
        "card": {"zh": about.card, "en": about.card_en},
        **_computes(about),
    }
    if about.reference:
        package["reference"] = about.reference
    wrong = ReleaseIn().validate(package)
    if wrong:
        said = [f"{path}: {' '.join(each)}" for path, each in flat_errors(wrong).items()]
        raise NotInOrder(component=name, findings=said)
    return package


def _computes(about: ReleaseFolder) -> dict[str, Any]:
    """What gives the answers: the model file, or the address of the provider's own service."""
    if about.endpoint is not None:
        return {"endpoint": about.endpoint}
    return {"model": base64.b64encode((about.folder / "model.onnx").read_bytes()).decode("ascii")}


def publish(root: Path, name: str, url: str, key: str) -> Iterator[str]:
    """Sends and waits; what is to be said, line by line. Raises `NotInOrder`, `BadRequest`, `DependencyDown`."""
    package = package_of(root, name)
    yield f"{name} {package['version']}: in order here"
    platform = _Platform(url, key)
    if platform.call("GET", f"/api/v1/components/{name}")[0] == 404:
        component = _written(root / name / "component.yaml")
        sent = {each: component[each] for each in (*_SENT, "keywords", "said") if each in component}
        status, body, _ = platform.call("POST", "/api/v1/components", sent)
        if status not in (201, 409):
            raise BadRequest(reason=body.get("detail", str(status)))
    status, body, headers = platform.call("POST", f"/api/v1/components/{name}/releases", package)
    if status != 202:
        raise BadRequest(reason=body.get("detail", str(status)))
    while body["state"] not in _ENDED:
        yield f"{body['state']} {body['progress']:.0%} {body['message']}"
        _, body, _ = platform.call("GET", f"{headers['Location']}?wait=20")
    if body["state"] != "done":
        raise BadRequest(reason=(body.get("problem") or {}).get("detail", body["state"]))
    yield f"published {url}/components/{name}"


class _Platform:
    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"X-API-Key": key, "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=60))

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any], Any]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8")
        try:
            answer = self._pool.request(method, self._url + path, body=content, headers=self._headers)
        except urllib3.exceptions.HTTPError:
            raise DependencyDown(dependency=self._url) from None
        try:
            found = json.loads(answer.data)
        except ValueError:
            found = {"detail": f"{self._url} answered {answer.status} without JSON"}
        return answer.status, found, answer.headers


def _written(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
