"""Blobs: artefacts by their SHA-256, so that workers on two machines see one artefact."""

from shared.blobs.folder import FolderBlobs
from shared.blobs.port import BlobDamaged, Blobs
from shared.settings import Settings

__all__ = ["BlobDamaged", "Blobs", "FolderBlobs", "open_blobs"]


def open_blobs(settings: Settings) -> Blobs:
    """PostgreSQL when `database_url` is set (every machine sees it), else a folder under the home."""
    if settings.database_url is not None:
        from shared.blobs.postgres import PostgresBlobs

        return PostgresBlobs(settings)
    return FolderBlobs(settings.home / "blobs")
