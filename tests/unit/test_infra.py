"""Compose file, nginx template and requirements stay in step with the code."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from shared import settings as settings_module
from shared.settings import UPSTREAM_SERVICES

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SITE = (ROOT / "infra" / "nginx" / "zhigai.conf.template").read_text(encoding="utf-8")
READ = set(re.findall(r'given\.(?:text|integer|number)\(\s*"([A-Z_]+)"', Path(settings_module.__file__).read_text()))


def test_every_setting_that_compose_gives_is_read_by_the_code() -> None:
    known = {f"ZHIGAI_{name}" for name in READ} | {f"ZHIGAI_UPSTREAM_{name.upper()}" for name in UPSTREAM_SERVICES}
    given = {
        name
        for service in COMPOSE["services"].values()
        for name in (service.get("environment") or {})
        if name.startswith("ZHIGAI_") and not name.startswith("ZHIGAI_NGINX_")
    }
    assert given <= known, given - known
    assert "ZHIGAI_DATABASE_URL" in given and "ZHIGAI_REDIS_URL" in given and "ZHIGAI_ELASTICSEARCH_URL" in given


def test_nginx_uses_exactly_the_variables_that_compose_gives_it() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", SITE))
    given = {name for name in COMPOSE["services"]["nginx"]["environment"] if name.startswith("ZHIGAI_NGINX_")}
    assert wanted == given


def test_every_location_that_sets_headers_blanks_the_claimed_identity() -> None:
    for location in re.findall(r"location [^{]+{[^}]*}", SITE):
        if "proxy_set_header" in location:
            assert "X-Zhigai-Principal" in location and "X-Forwarded-For $remote_addr" in location, location


def test_every_service_that_serves_has_an_image_and_locked_requirements() -> None:
    for name in (*UPSTREAM_SERVICES, "gateway", "portal", "worker"):
        arguments = COMPOSE["services"][name]["build"]["args"]
        assert arguments == {"SERVICE": name}
        assert (ROOT / "requirements" / f"{name}.txt").is_file()


def test_requirements_are_pinned_with_hashes_and_name_no_host() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path.name
        for block in re.split(r"\n(?=[a-zA-Z])", text.strip()):
            assert "==" in block and "--hash=sha256:" in block, (path.name, block[:80])


def test_what_only_serves_carries_no_training_libraries() -> None:
    """An image of a service does not; the all-in-one does, since its worker trains on the user's own data."""
    for name in ("catalog", "knowledge", "gateway", "portal", "programme", "models"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert "scikit-learn==" not in text and "pandas==" not in text, name
    for name in ("serve", "worker"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert "scikit-learn==" in text and "ortools==" in text, name
