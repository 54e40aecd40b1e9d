"""Releases loaded in the runner: onnxruntime from bytes, one thread, warmed, the least used let go under a budget."""

from __future__ import annotations

import importlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime

from services.models.inference.release import LoadedRelease, ReleaseFolder, open_release

MOST_LOADED = 64


class Sessions:
    """`get(name, release)` -> a release ready to compute."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._loaded: OrderedDict[tuple[str, str], LoadedRelease] = OrderedDict()
        self._wanted: dict[tuple[str, str], LoadedRelease] = {}
        self._lock = Lock()

    def known(self, name: str, release: str) -> LoadedRelease | None:
        """The release if it is loaded already."""
        return self._wanted.get((name, release))

    def get(self, name: str, release: str = "", options: Any = None) -> LoadedRelease:
        """Loads it first if need be; `options` let the caller terminate that. Raises `UnknownRelease`."""
        found = self.known(name, release)
        if found is not None:
            return found
        about = open_release(self._roots, name, release)
        with self._lock:
            key = (about.name, about.version)
            loaded = self._loaded.get(key)
            if loaded is None:
                loaded = load(about, options)
                while len(self._loaded) >= MOST_LOADED:
                    _, gone = self._loaded.popitem(last=False)
                    self._wanted = {wanted: each for wanted, each in self._wanted.items() if each is not gone}
                self._loaded[key] = loaded
            self._loaded.move_to_end(key)
            self._wanted[(name, release)] = loaded
        return loaded

    def forget_aliases(self) -> None:
        """After a component's aliases moved."""
        with self._lock:
            self._wanted = {}


def load(about: ReleaseFolder, run_options: Any = None) -> LoadedRelease:
    """Loads one release and runs it once, so that the first caller does not pay for it."""
    loaded = LoadedRelease(about)
    if about.kind == "tool":
        loaded.tool = tool_of(str(about.component["implementation"]))
        return loaded
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # From bytes: a model cannot then point at other files of its folder.
    model = (about.folder / "model.onnx").read_bytes()
    loaded.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    loaded.input_name = loaded.session.get_inputs()[0].name
    intervals = about.folder / "intervals.json"
    if intervals.exists():
        read = json.loads(intervals.read_text(encoding="utf-8"))
        # Offsets by group become arrays here once, rather than at every call.
        loaded.intervals = read | {name: np.asarray(read[name], np.float64) for name in ("low", "high") if name in read}
    if about.component.get("features"):
        loaded.prepare = importlib.import_module(f"services.models.features.{about.component['features']}")
    loaded.session.run(None, {loaded.input_name: np.zeros((1, len(about.signature.inputs)), np.float32)}, run_options)
    return loaded


def tool_of(implementation: str) -> Callable[..., Any]:
    """`thermal.stenter_heat_balance` -> the function of `services.models.tools`."""
    module, _, function = implementation.partition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"services.models.tools.{module}"), function)
    return found
