"""Releases loaded in the runner: onnxruntime from bytes, one thread, warmed, the least used let go under a budget."""

from __future__ import annotations

import importlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime

from services.models.errors import ModelFailed
from services.models.inference.release import LoadedRelease, ReleaseFolder, open_release

log = logging.getLogger(__name__)

MOST_LOADED = 64
BROKEN_S = 30.0
"""A release that could not be loaded is not tried again for so long: trying may take seconds each time."""

Key = tuple[str, str]


class Sessions:
    """`get(name, release)` -> a release ready to compute."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._loaded: dict[Key, LoadedRelease] = {}
        self._wanted: dict[Key, LoadedRelease] = {}
        """By name and what was asked for: a version, an alias or nothing."""
        self._used: dict[Key, float] = {}
        self._broken: dict[Key, tuple[float, str]] = {}
        self._lock = Lock()

    def known(self, name: str, release: str) -> LoadedRelease | None:
        """The release if it is loaded already."""
        found = self._wanted.get((name, release))
        if found is not None:
            self._used[(name, found.version)] = time.monotonic()
        return found

    def get(self, name: str, release: str = "", options: Any = None) -> LoadedRelease:
        """Loads it first if need be; `options` let the caller terminate that. Raises `UnknownRelease`, `ModelFailed`."""
        found = self.known(name, release)
        if found is not None:
            return found
        about = open_release(self._roots, name, release)
        with self._lock:
            key = (about.name, about.version)
            loaded = self._loaded.get(key)
            if loaded is None:
                loaded = self._loaded[key] = self._load(key, about, options)
                self._let_go()
            self._used[key] = time.monotonic()
            self._wanted[(name, release)] = loaded
        return loaded

    def _load(self, key: Key, about: ReleaseFolder, options: Any) -> LoadedRelease:
        until, reason = self._broken.get(key, (0.0, ""))
        if time.monotonic() < until:
            raise ModelFailed(component=about.name, reason=reason)
        try:
            return load(about, options)
        except ModelFailed as failed:
            self._broken[key] = (time.monotonic() + BROKEN_S, failed.reason)
            raise

    def _let_go(self) -> None:
        """Of the release not used for longest, while there are too many."""
        while len(self._loaded) > MOST_LOADED:
            key = min(self._loaded, key=lambda each: self._used.get(each, 0.0))
            gone = self._loaded.pop(key)
            self._used.pop(key, None)
            self._wanted = {wanted: each for wanted, each in self._wanted.items() if each is not gone}

    def forget_aliases(self) -> None:
        """After a component's aliases moved."""
        with self._lock:
            self._wanted = {}


def load(about: ReleaseFolder, run_options: Any = None) -> LoadedRelease:
    """Loads one release and runs it once, so that the first caller does not pay for it. Raises `ModelFailed`."""
    loaded = LoadedRelease(about)
    if about.kind == "tool":
        loaded.tool = tool_of(str(about.component["implementation"]))
        return loaded
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Its own lines name paths and say no more than the exception.
    options.log_severity_level = 4
    # From bytes: a model cannot then point at other files of its folder.
    model = (about.folder / "model.onnx").read_bytes()
    try:
        loaded.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        loaded.input_name = loaded.session.get_inputs()[0].name
        first = np.zeros((1, len(about.signature.inputs)), np.float32)
        loaded.session.run(None, {loaded.input_name: first}, run_options)
    except MemoryError:
        raise
    except Exception as wrong:
        log.warning("%s %s cannot be loaded: %s", about.name, about.version, wrong)
        reason = f"无法载入 / cannot be loaded: {type(wrong).__name__}"
        raise ModelFailed(component=about.name, reason=reason) from None
    intervals = about.folder / "intervals.json"
    if intervals.exists():
        read = json.loads(intervals.read_text(encoding="utf-8"))
        # Offsets by group become arrays here once, rather than at every call.
        loaded.intervals = read | {name: np.asarray(read[name], np.float64) for name in ("low", "high") if name in read}
    if about.component.get("features"):
        loaded.prepare = importlib.import_module(f"services.models.features.{about.component['features']}")
    return loaded


def tool_of(implementation: str) -> Callable[..., Any]:
    """`thermal.stenter_heat_balance` -> the function of `services.models.tools`."""
    module, _, function = implementation.partition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"services.models.tools.{module}"), function)
    return found
