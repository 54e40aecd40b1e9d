"""A catalog and a knowledge service with a little of everything that an industry's page shows, behind a real gateway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flask
import yaml

from services.catalog import app as catalog
from services.gateway import app as gateway
from services.gateway.front import Gateway
from services.knowledge import app as knowledge
from services.programme import app as programme
from shared.errors import DependencyDown
from shared.http.upstream import MountedUpstream, Request, Response, Upstream
from shared.settings import Settings
from tests.services.catalog.conftest import solution
from tests.services.catalog.test_starter_packs import pack
from tests.services.knowledge.conftest import article
from tests.services.knowledge.test_chains import chain

DATES = ("last_confirmed", "confirm_by")
CAUSES = [{"cause": f"原因{n}", "check": f"看第{n}处压差", "remedy": f"清第{n}段"} for n in range(3)]
JOINT = {"with": "定型机控制柜", "protocol": "Modbus RTU", "how": "只读车速和温度"}


class Away:
    """A service that does not answer."""

    def call(self, request: Request) -> Response:
        raise DependencyDown(dependency="test")


class Behind:
    """The services with their own little content, and the gateway before them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        for service in (catalog, knowledge, programme, gateway):
            service.migrate(settings)
        self._write_content()
        self.apps: dict[str, flask.Flask] = {
            "catalog": catalog.create_app(settings, folder / "packs"),
            "knowledge": knowledge.create_app(settings, folder / "chains"),
            "programme": programme.create_app(settings, folder / "diagnosis"),
        }
        catalog.seed(settings, folder / "solutions")
        knowledge.seed(settings, folder / "articles")
        for name in ("catalog", "knowledge"):
            self.apps[name].extensions["zhigai"].parts["relay"].drain_all()
        self._gateways: list[Gateway] = []

    def gateway(self, without: str = "") -> Gateway:
        """A gateway before the services, one of them away."""
        upstreams: Mapping[str, Upstream] = {
            name: Away() if name == without else MountedUpstream(app, name) for name, app in self.apps.items()
        }
        self._gateways.append(gateway.create_app(self.settings, upstreams))
        return self._gateways[-1]

    def put_article(self, content: dict[str, Any]) -> None:
        """Writes one more article and loads it."""
        text = content.pop("text")
        self._put(f"articles/{content['id']}.md", f"---\n{_yaml(content)}---\n{text}")
        knowledge.seed(self.settings, self.folder / "articles")

    def close(self) -> None:
        for made in self._gateways:
            made.flask.extensions["zhigai"].close()
        for app in self.apps.values():
            app.extensions["zhigai"].close()

    def _write_content(self) -> None:
        whole = {"equipment": ["高温含湿探头"], "integration": [JOINT]}
        for each in (
            solution("dyeing-a", scale="low_cost", steps=["washing", "heat-setting"], **whole),
            solution("dyeing-b", scale="single", steps=["heat-setting"], directions=["workshop"], **whole),
            solution("textile-c", "textile", industries=["textile", "dyeing"], scale="single", steps=["washing"], **whole),
        ):  # fmt: skip
            self._put(f"solutions/{each['industries'][0]}/{each['id']}.yaml", _yaml(each))
        for each in (
            article("dyeing-x-fault", kind="fault", steps=["washing"], causes=CAUSES),
            article("dyeing-y", steps=["washing"], confirm_by="2026-11-24"),
            article("general-z", industries=["all"], steps=[]),
        ):
            text = each.pop("text")
            self._put(f"articles/{each['id']}.md", f"---\n{_yaml(each)}---\n{text}")
        self._put("chains/dyeing.yaml", yaml.safe_dump(chain(), allow_unicode=True))
        self._put("packs/dyeing.yaml", yaml.safe_dump(pack("dyeing-a", "dyeing-b", "textile-c"), allow_unicode=True))

    def _put(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")


def _yaml(content: dict[str, Any]) -> str:
    dates = "".join(f"{name}: {content[name]}\n" for name in DATES)
    rest = {name: value for name, value in content.items() if name not in DATES}
    return yaml.safe_dump(rest, allow_unicode=True) + dates
