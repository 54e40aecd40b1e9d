"""Releases loaded in the runner: onnxruntime from bytes, one thread, warmed, the least used let go under a budget."""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime

from services.models.errors import ModelFailed
from services.models.inference import novelty
from services.models.inference.agreement import COMPUTED, difference, only
from services.models.inference.ranges import Ranges
from services.models.inference.release import LoadedRelease, ReleaseFolder, open_release
from shared.errors import Refused

log = logging.getLogger(__name__)

BUDGET_MB = 512
"""For loaded releases together, unless said otherwise."""
HELD_BYTES = 256 * 1024
HELD_PER_BYTE = 7
"""What a release takes in memory: so much, and so many times its file. Measured on linear models (250 bytes of file:
0.1 MB, beside its signature) and forests (0.5 and 2.8 MB of file: 3.7 and 18.5 MB)."""
BROKEN_S = 30.0
"""A release that could not be loaded is not tried again for so long: trying may take seconds each time."""

Key = tuple[str, str]


class Sessions:
    """`get(name, release)` -> a release ready to compute. Any number of threads may ask."""

    def __init__(self, roots: Sequence[Path], budget_mb: float = BUDGET_MB) -> None:
        self._roots = tuple(roots)
        self._budget = budget_mb * 1024 * 1024
        self._loaded: dict[Key, LoadedRelease] = {}
        self._wanted: dict[Key, LoadedRelease] = {}
        """By name and what was asked for: a version, an alias or nothing."""
        self._broken: dict[Key, tuple[float, str]] = {}
        self._loading: dict[Key, Lock] = {}
        self._told = 0
        """How often aliases moved: what was looked up before is not remembered after."""
        self._lock = Lock()

    def known(self, name: str, release: str) -> LoadedRelease | None:
        """The release if it is loaded already."""
        found = self._wanted.get((name, release))
        if found is not None:
            found.used_at = time.monotonic()
        return found

    def get(self, name: str, release: str = "", options: Any = None, caller: str | None = None) -> LoadedRelease:
        """Loads it first if need be; `options` let the caller terminate that. Raises `UnknownRelease`, `ModelFailed`."""
        told = self._told
        about = open_release(self._roots, name, release, caller)
        key = (about.name, about.version)
        with self._lock:
            # One lock for each release: one that takes long to load holds up nobody who wants another.
            alone = self._loading.setdefault(key, Lock())
        with alone:
            loaded = self._loaded.get(key) or self._load_once(key, about, options)
            loaded.used_at = time.monotonic()
            with self._lock:
                self._loading.pop(key, None)
                self._loaded[key] = loaded
                if told == self._told:
                    self._wanted[(name, release)] = loaded
                gone = self._let_go(loaded)
        if gone:
            gone.clear()
            _give_back()
        return loaded

    def _load_once(self, key: Key, about: ReleaseFolder, options: Any) -> LoadedRelease:
        until, reason = self._broken.get(key, (0.0, ""))
        if time.monotonic() < until:
            raise ModelFailed(component=about.name, reason=reason)
        try:
            return load(about, options)
        except ModelFailed as failed:
            self._broken[key] = (time.monotonic() + BROKEN_S, failed.reason)
            raise

    def _let_go(self, kept: LoadedRelease) -> list[LoadedRelease]:
        """Of the releases not used for longest, while all together are over the budget."""
        gone: list[LoadedRelease] = []
        over = sum(each.held_bytes for each in self._loaded.values()) - self._budget
        if over <= 0:
            return gone
        for key, each in sorted(self._loaded.items(), key=lambda item: item[1].used_at):
            if over <= 0:
                break
            if each is not kept:
                over -= each.held_bytes
                gone.append(self._loaded.pop(key))
        self._forget(gone)
        return gone

    def _forget(self, gone: Sequence[LoadedRelease]) -> None:
        left = {id(each) for each in gone}
        if left:
            self._wanted = {wanted: each for wanted, each in self._wanted.items() if id(each) not in left}

    def unload(self, name: str) -> int:
        """Lets go of every release of a component; how many were loaded. The next call loads what it needs again."""
        with self._lock:
            gone = [self._loaded.pop(key) for key in list(self._loaded) if key[0] == name]
            self._forget(gone)
        count = len(gone)
        gone.clear()
        _give_back()
        return count

    def forget_failures(self, name: str) -> None:
        """A release that could not be loaded is tried again at the next call."""
        with self._lock:
            self._broken = {key: until for key, until in self._broken.items() if key[0] != name}

    def loaded(self) -> set[Key]:
        """Names and versions of what is loaded."""
        with self._lock:
            return set(self._loaded)

    def forget_aliases(self) -> None:
        """After a component's aliases moved."""
        with self._lock:
            self._told += 1
            self._wanted = {}


def _give_back() -> None:
    """Freed memory goes back to the machine; the allocator would keep the holes between what is still loaded."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def load(about: ReleaseFolder, run_options: Any = None, *, verify: bool = True) -> LoadedRelease:
    """Loads one release and runs it once, so that the first caller does not pay for it. One that no longer gives the
    answers stored with it is not served, unless `verify` is false. Raises `ModelFailed`."""
    loaded = _load(about, run_options)
    if verify:
        _verify(loaded, run_options)
    return loaded


def _verify(loaded: LoadedRelease, run_options: Any) -> None:
    """Each stored example once. What a solver computes is left to the worker."""
    # Imported here: predict imports what loads nothing, and a check of written parts needs no predict.
    from services.models.inference.predict import predict

    if loaded.about.component.get("cost") == "job" or not (loaded.about.folder / "examples.yaml").exists():
        return
    for example in loaded.about.examples:
        try:
            found = predict(loaded, example["request"], "zh", run_options)
            differs = difference(only(example["answer"], COMPUTED), only(found, COMPUTED))
        except (Refused, KeyError, TypeError) as wrong:
            differs = type(wrong).__name__
        if differs:
            about, name = loaded.about, str(example.get("name"))[:40]
            log.error("%s %s is not served: example %s differs at %s", about.name, about.version, name, differs)
            reason = f"算例「{name}」的结果与发布时不一致 / its answer to example “{name}” is not the stored one"
            raise ModelFailed(component=about.name, reason=reason)


def _load(about: ReleaseFolder, run_options: Any) -> LoadedRelease:
    loaded = LoadedRelease(about, held_bytes=HELD_BYTES)
    if about.kind == "tool":
        implementation = str(about.component["implementation"])
        # What a job computes with (a solver) is imported where it is computed, never by the runner that only checks.
        is_job = about.component.get("cost") == "job"
        loaded.tool = partial(_called, implementation) if is_job else tool_of(implementation)
        return loaded
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Its own lines name paths and say no more than the exception.
    options.log_severity_level = 4
    # From bytes: a model cannot then point at other files of its folder.
    model = (about.folder / "model.onnx").read_bytes()
    loaded.held_bytes += HELD_PER_BYTE * len(model)
    loaded.ranges = Ranges(about.signature)
    try:
        loaded.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        loaded.input_name = loaded.session.get_inputs()[0].name
        loaded.output_names = [each.name for each in loaded.session.get_outputs()]
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
        if "novelty" in read:
            loaded.intervals = {**loaded.intervals, "novelty": novelty.prepared(read["novelty"])}
    if about.component.get("features"):
        loaded.prepare = importlib.import_module(f"services.models.features.{about.component['features']}")
    return loaded


def _called(implementation: str, **values: Any) -> Any:
    return tool_of(implementation)(**values)


def tool_of(implementation: str) -> Callable[..., Any]:
    """`thermal.stenter_heat_balance` -> the function of `services.models.tools`."""
    module, _, function = implementation.partition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"services.models.tools.{module}"), function)
    return found
