"""Lint, layers and what must not appear, as tests, so that they hold wherever the tests run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def test_lint_finds_nothing() -> None:
    run("ruff", "check", "--quiet", ".")


def test_layers_hold_and_services_stay_strangers() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_serving_process_imports_no_numerical_library_and_nothing_of_the_distributed_mode() -> None:
    code = (
        "import sys, zhigai.platform, services.models.app, services.gateway.app, services.portal.app, "
        "services.catalog.app, services.knowledge.app, services.programme.app, shared.http.serve\n"
        "heavy = {'numpy', 'onnxruntime', 'sklearn', 'scipy', 'onnx', 'psycopg', 'celery', 'redis', 'elasticsearch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_nothing_of_one_machine_stands_in_the_project() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    banned = re.compile(
        r"/work/main|/root/(?!notes)|\.\./shared(?!/data)|files\.pythonhosted|registry\.npmjs|repo\.maven"
    )
    for name in listed:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".html", ".css", ".js", ".sh", ".template"):
            if path == Path(__file__) or not path.is_file():
                continue
            found = banned.search(path.read_text(encoding="utf-8"))
            assert found is None, (name, found and found.group())


def test_no_file_of_code_is_two_ideas() -> None:
    for path in [*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py"), *ROOT.glob("zhigai/**/*.py")]:
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 420, f"{path.relative_to(ROOT)} has {lines} lines"
