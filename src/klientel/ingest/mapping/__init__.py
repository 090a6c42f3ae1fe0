"""Recognition: which raw table is which canonical table, which header is which column."""

from klientel.ingest.mapping.outcomes import document_kind, outcome_of
from klientel.ingest.mapping.recognise import recognise
from klientel.ingest.mapping.templates import Template, preset, presets

__all__ = ["Template", "document_kind", "outcome_of", "preset", "presets", "recognise"]
