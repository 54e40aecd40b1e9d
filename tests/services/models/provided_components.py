"""Components of organisations that are not the platform, and one that is hungry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from onnx import TensorProto, helper

from tests.services.models import tiny_components


def provided(root: Path, name: str, model: bytes, provider: str, **kwargs: Any) -> None:
    """A component of an organisation that is not the platform."""
    tiny_components.write(root, name, model, **kwargs)
    path = root / name / "component.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "provider": provider}))


def hungry() -> bytes:
    """Asks for four gibibytes whatever it is given."""
    size = helper.make_tensor("size", TensorProto.INT64, [2], [2**15, 2**15])
    return tiny_components._model(
        [
            helper.make_node("ReduceSum", ["X"], ["all"], keepdims=0),
            helper.make_node("Expand", ["all", "size"], ["much"]),
            helper.make_node("ReduceMax", ["much"], ["most"], keepdims=0),
            helper.make_node("Reshape", ["most", "one"], ["value"]),
        ],
        [size, helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
