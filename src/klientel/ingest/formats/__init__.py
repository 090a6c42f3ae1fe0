"""Reads files of many formats, folders, archives and frames into raw tables."""

from __future__ import annotations

from klientel.ingest.formats.sources import read_sources

__all__ = ["read_sources"]
