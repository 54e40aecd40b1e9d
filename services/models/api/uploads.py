"""Files as they come in: a part of a form or the bare body, spooled to disk, its length compared, kept as a blob."""

from __future__ import annotations

import hashlib
import re
import tempfile
from typing import IO, Any, BinaryIO, cast
from urllib.parse import unquote

import flask
from werkzeug.datastructures import FileStorage

from services.models.logic.datasets import Uploaded
from shared.blobs import Blobs
from shared.errors import BadInput, BodyCut, TooLarge, UnsupportedMedia
from shared.http.service_app import JSON_LIMIT_BYTES, JsonRequest, context

UPLOAD_BYTES = 64 * 1024 * 1024
FORM_BYTES = 512 * 1024
_PIECE = 1 << 20
_IN_MEMORY = 256 * 1024
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class UploadRequest(JsonRequest):
    """Larger bodies where files are taken, read by the view piece by piece."""

    def __init__(self, environ: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(environ, *args, **kwargs)
        if self.method == "POST" and (self.path == "/api/v1/datasets" or self.path.endswith("/predict-file")):
            self.streams = self.mimetype != "application/json"
            self.max_content_length = UPLOAD_BYTES if self.streams else JSON_LIMIT_BYTES
            # The parser of forms counts each piece of a file that it holds, of 64 KiB, against this limit too.
            self.max_form_memory_size = FORM_BYTES


def received(blobs: Blobs) -> Uploaded:
    """The file of this request, stored. Raises `BadInput`, `BodyCut`, `TooLarge`, `UnsupportedMedia`."""
    request = flask.request
    if request.content_length is not None and request.content_length > UPLOAD_BYTES:
        raise TooLarge(limit_bytes=UPLOAD_BYTES)
    if request.mimetype == "multipart/form-data":
        part = request.files.get("file")
        if part is None:
            raise BadInput(errors={"file": ["缺少文件，或上传没有传完 / the file is missing or was cut short"]})
        sheet = request.form.get("sheet", "")
        return _kept(blobs, part.stream, _name_of(part), sheet)
    if request.mimetype == "application/json":
        raise UnsupportedMedia(given=request.mimetype, wanted="multipart/form-data, text/csv, application/octet-stream")
    name = _plain(unquote(_as_utf8(request.headers.get("X-File-Name", ""))))
    if not name:
        raise BadInput(errors={"X-File-Name": ["须给出文件名（URL 编码） / must hold the file's name, URL-encoded"]})
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        size = _copied(request.stream, spool)
        if request.content_length is not None and size != request.content_length:
            raise BodyCut(expected_bytes=request.content_length, received_bytes=size)
        spool.seek(0)
        sheet = unquote(_as_utf8(request.headers.get("X-Sheet", "")))
        return _kept(blobs, cast("IO[bytes]", spool), name, sheet)


def _copied(source: Any, target: Any) -> int:
    size = 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > UPLOAD_BYTES:
            raise TooLarge(limit_bytes=UPLOAD_BYTES)
        target.write(piece)
    return size


def _kept(blobs: Blobs, stream: IO[bytes], name: str, sheet: str) -> Uploaded:
    digest = hashlib.sha256()
    size = 0
    while piece := stream.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    if not size:
        raise BadInput(errors={"file": ["文件是空的 / the file is empty"]})
    wanted = flask.request.headers.get("X-File-Sha256", "").strip().lower()
    if wanted and wanted != digest.hexdigest():
        said = f"收到的内容是 {digest.hexdigest()} / the bytes received have another hash"
        raise BadInput(errors={"X-File-Sha256": [said]})
    stream.seek(0)
    return Uploaded(name, size, blobs.put(cast("BinaryIO", stream)), sheet[:80])


def _name_of(part: FileStorage) -> str:
    return _plain(part.filename or "") or "upload"


def _plain(name: str) -> str:
    """The last part of a path, printable, at most 200 characters."""
    return _UNPRINTABLE.sub("", name.replace("\\", "/").rpartition("/")[2]).strip()[:200]


def _as_utf8(header: str) -> str:
    """WSGI gives headers as Latin-1; browsers and scripts send UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def blobs_of() -> Blobs:
    found: Blobs = context().parts["blobs"]
    return found
