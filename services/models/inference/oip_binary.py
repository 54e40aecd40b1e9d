"""Raw tensors of the binary-tensor extension: little-endian bytes after the JSON part, in the order of the tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.models.errors import BadTensor


class Raw:
    """The bytes after the JSON part, taken tensor by tensor."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def take(self, name: str, size: Any, dtype: str, count: int) -> NDArray[Any]:
        """The next tensor's `count` values. Raises `BadTensor` when sizes do not agree."""
        wanted = np.dtype(f"<{dtype}") if dtype != "?" else np.dtype("?")
        if type(size) is not int or size != count * wanted.itemsize:
            reason = f"binary_data_size {str(size)[:20]}，shape 要 {count * wanted.itemsize} / differs from shape"
            raise BadTensor(tensor=name, reason=reason)
        self._must_hold(name, size)
        values = np.frombuffer(self._content, wanted, count, self._place)
        self._place += size
        if dtype == "?" and values.view(np.uint8).max(initial=0) > 1:
            raise BadTensor(tensor=name, reason="BOOL 的字节应为 0 或 1 / a byte of BOOL is 0 or 1")
        return values

    def take_bytes(self, name: str, size: Any, count: int) -> NDArray[Any]:
        """The next tensor's `count` texts, each after its length in four bytes. Raises `BadTensor`."""
        if type(size) is not int or size < 4 * count:
            raise BadTensor(
                tensor=name, reason=f"binary_data_size {str(size)[:20]} 过小 / too small for {count} values"
            )
        self._must_hold(name, size)
        end = self._place + size
        texts = []
        for _ in range(count):
            start = self._place + 4
            length = int.from_bytes(self._content[self._place : start], "little")
            if start + length > end:
                raise BadTensor(tensor=name, reason="BYTES 的长度超出张量 / a length goes beyond the tensor")
            self._place = start + length
            texts.append(self._text(name, self._content[start : self._place]))
        if self._place != end:
            left = end - self._place
            raise BadTensor(tensor=name, reason=f"BYTES 末尾多出 {left} 字节 / {left} bytes too many")
        return np.array(texts, dtype=object)

    @staticmethod
    def _text(name: str, value: bytes) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise BadTensor(tensor=name, reason="BYTES 不是 UTF-8 / not UTF-8") from None

    def _must_hold(self, name: str, size: int) -> None:
        if self._place + size > len(self._content):
            raise BadTensor(tensor=name, reason="二进制数据不完整 / the raw tensor is cut short")

    def must_be_used_up(self) -> None:
        if self._place != len(self._content):
            left = len(self._content) - self._place
            raise BadTensor(tensor="-", reason=f"末尾多出 {left} 字节 / {left} bytes too many")


def packed(datatype: str, values: NDArray[Any]) -> bytes:
    """A tensor as raw bytes; BYTES elements carry a four-byte length each."""
    if datatype == "BYTES":
        parts = []
        for value in values.reshape(-1):
            text = str(value).encode("utf-8")
            parts += [len(text).to_bytes(4, "little"), text]
        return b"".join(parts)
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
