"""What an uploaded file is, told by its first bytes: only ONNX is taken, whatever it is called."""

from __future__ import annotations

import re

_STARTS = (
    (b"PK\x03\x04", "a ZIP archive (also .npz, .keras, .pt)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 (.h5, .keras)"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"ZF", "a compressed joblib file"),
    (b"%PDF", "PDF"),
    (b"GGUF", "GGUF"),
    (b"TFL3", "TensorFlow Lite"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"<", "text with tags"),
    (b"{", "JSON text"),
)
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PICKLE = re.compile(rb"\A\x80[\x02-\x05]|\A[(\]}]|\Ac[\w.]+\n\w+\n|\A(?:I|L|F|S|V)[^\n]{0,40}\n")
_TAR_AT = 257


def other_kind(content: bytes) -> str:
    """What the file is when it cannot be ONNX, else an empty string. Says nothing of files that might be."""
    if not content:
        return "an empty file"
    for start, said in _STARTS:
        if content.startswith(start):
            return said
    if content[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "a tar archive"
    if content[:2] in _ZLIB:
        return "compressed by zlib (also joblib)"
    if content[4:8] == b"TFL3":
        return "TensorFlow Lite"
    if _PICKLE.match(content):
        return "a pickle (also joblib): it would run code when it is opened, and is never opened here"
    return ""
