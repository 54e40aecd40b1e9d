"""No model file runs anything, ends anything, or is taken: every one is refused by a rule or contained in the sandbox."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.models.inference.frames import INFER, Ask
from services.models.inference.from_threads import RunnerFromThreads
from services.models.intake import onnx_check, sandbox
from shared.errors import Busy
from tests.fuzz.hostile_onnx import FEATURES, Hostile, hostile, linear
from tests.services.models import tiny_components

FILES = hostile()
CONTAINED = [each for each in FILES if each.rule is None]
CANARY = Path("/tmp/zhigai-canary")
NAMES = ("power", "speed")


def component(root: Path, name: str, content: bytes, version: str = "1.0.0") -> Path:
    tiny_components.write(root, name, content, features=NAMES, version=version)
    folder = root / name / "releases" / version
    answer = {"component": name, "release": version, "predictions": [{"value": 1.0, "unit": "kWh"}]}
    example = {"name": "one", "request": {"instances": [{"power": 1, "speed": 1}]}, "answer": answer}
    (folder / "examples.yaml").write_text(yaml.safe_dump([example]))
    return folder


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Rules by file, said by the process that checks uploads; the file that ended it would leave none for anybody."""
    root = tmp_path_factory.mktemp("uploads")
    versions = {f"0.0.{number}": each for number, each in enumerate(FILES)}
    for version, each in versions.items():
        component(root, "hostile", each.content, version)
    found: dict[str, set[str]] = {each.name: set() for each in FILES}
    for finding in sandbox.findings(root, "hostile"):
        version = finding.place.partition("/")[0]
        assert version in versions, finding
        found[versions[version].name].add(finding.rule)
    return found


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len({each.name for each in FILES}) == len(FILES) >= 100


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_is_refused_by_its_rule(refusals: dict[str, set[str]], file: Hostile) -> None:
    if file.rule is None:
        assert refusals[file.name] == set(), "meant to pass the written check"
    else:
        assert file.rule in refusals[file.name]
    assert not CANARY.exists()


@pytest.mark.parametrize("file", CONTAINED, ids=lambda file: file.name)
def test_what_only_running_shows_is_contained_and_not_published(tmp_path: Path, file: Hostile) -> None:
    component(tmp_path, "hostile", file.content)
    rules = {finding.rule for finding in sandbox.findings(tmp_path, "hostile")}
    assert rules <= {"example-answer", "model-failed", "sandbox", "sandbox-time"}
    assert rules


def test_the_tree_that_ends_the_process_ends_only_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the written check blind to it, the sandbox would say so, and we would go on."""
    file = next(each for each in FILES if each.name == "tree that ends the process")
    component(tmp_path, "hostile", file.content)
    (tmp_path / "blind").mkdir()
    blind = "from services.models.intake import onnx_check\nonnx_check.findings = lambda path: []\n"
    (tmp_path / "blind" / "sitecustomize.py").write_text(blind)
    monkeypatch.syspath_prepend(str(tmp_path / "blind"))
    (finding,) = sandbox.findings(tmp_path, "hostile")
    assert finding.rule == "sandbox"


def test_a_good_call_gives_the_same_bytes_before_between_and_after(tmp_path: Path) -> None:
    """Every file lies where a release lies and is called, in the runner of its provider."""
    component(tmp_path, "good", linear().SerializeToString())
    (tmp_path / "good" / "releases" / "1.0.0" / "examples.yaml").unlink()
    body = b'{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2]}]}'
    assert len(NAMES) == FEATURES
    chosen = [each for each in FILES if each.name != "tree that ends the process"]
    for number, each in enumerate(chosen):
        component(tmp_path, f"hostile-{number}", each.content)
        path = tmp_path / f"hostile-{number}" / "component.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "provider": "org-evil"}))
    runner = RunnerFromThreads([tmp_path], 512)
    try:
        before = runner.call(Ask(0, INFER, "good", body=body)).body
        for number in range(len(chosen)):
            # One that cannot be stopped in time ends its provider's process: the call is told to come back.
            with contextlib.suppress(Busy):
                reply = runner.call(Ask(0, INFER, f"hostile-{number}", body=body))
                assert reply.status in (422, 503), (chosen[number].name, reply.status, reply.body)
        assert runner.call(Ask(0, INFER, "good", body=body)).body == before
    finally:
        runner.close()
    assert b"8.0" in before
    assert not CANARY.exists()


def test_a_file_changed_anywhere_is_judged_and_never_raises(tmp_path: Path) -> None:
    """The check runs on a publisher's own machine too, without a sandbox around it."""
    chance = random.Random(20261125)
    good = [linear().SerializeToString(), *(each.content for each in FILES if 10 < len(each.content) < 2000)]
    path = tmp_path / "1.0.0" / "model.onnx"
    path.parent.mkdir()
    for _ in range(1500):
        content = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(content))
            how = chance.randrange(3)
            if how == 0:
                content[place] = chance.randrange(256)
            elif how == 1:
                del content[place : place + chance.randint(1, 8)]
            else:
                content[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
            if not content:
                break
        path.write_bytes(bytes(content))
        for finding in onnx_check.findings(path):
            assert finding.rule
            assert finding.message


def test_what_is_good_passes(tmp_path: Path) -> None:
    made: list[Any] = [linear().SerializeToString(), tiny_components.linear((1.0, 2.0, 3.0), 1.0)]
    made += [tiny_components.two_classes()]
    path = tmp_path / "1.0.0" / "model.onnx"
    path.parent.mkdir()
    for content in made:
        path.write_bytes(content)
        assert list(onnx_check.findings(path)) == []
