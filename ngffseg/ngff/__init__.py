"""OME-Zarr metadata: JSON to model and back, our schemas, and the rules beyond them. No I/O."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.ngff.collection import (
        BIOFORMATS2RAW,
        SERIES,
        SPATIALDATA,
        Collection,
        decode_collection,
        listed_series,
        metadata_kinds,
    )
    from ngffseg.ngff.color import made_up_color
    from ngffseg.ngff.commit_record import (
        CommitRecord,
        Placeholder,
        decode_commit_record,
        encode_commit_record,
    )
    from ngffseg.ngff.document import (
        Document,
        decode_documents,
        document_layers,
        document_source_grid,
        encode_document,
        merge_document,
        own_part,
    )
    from ngffseg.ngff.grid import decode_geometry, encode_geometry, encode_source_grid
    from ngffseg.ngff.image import encode_image, image_geometry, image_source_grid
    from ngffseg.ngff.image_label import (
        change_image_label,
        decode_image_label,
        encode_image_label,
        source_image,
    )
    from ngffseg.ngff.index import IndexLayout, decode_index, encode_index
    from ngffseg.ngff.job import JobRecord, Move, PassRecord, decode_job, encode_job
    from ngffseg.ngff.json_diff import differences
    from ngffseg.ngff.json_text import TooDeepError, parse_object
    from ngffseg.ngff.label import LabelDocument, array_layout, decode_label, encode_label
    from ngffseg.ngff.migration import own_violations, schema_id
    from ngffseg.ngff.multiscales import (
        Axis,
        Dataset,
        Multiscales,
        decode_multiscales,
        encode_multiscales,
        update_multiscales,
    )
    from ngffseg.ngff.node import Node
    from ngffseg.ngff.omero import decode_channels, encode_channels
    from ngffseg.ngff.rules_store import validate_store
    from ngffseg.ngff.schema import all_schemas, schema_violations, schemas_of, short_json, short_text
    from ngffseg.ngff.text import encode_json, json_value
    from ngffseg.ngff.validate import validate_attributes
    from ngffseg.ngff.version import (
        VERSIONS,
        Version,
        is_unknown,
        listed_labels,
        merge_attributes,
        stated_versions,
        unwrap,
        wrap,
        zarr_format,
    )
    from ngffseg.ngff.violation import Fix, Place, Severity, Violation, as_json
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "collection": "BIOFORMATS2RAW Collection SERIES SPATIALDATA decode_collection listed_series metadata_kinds",
            "color": "made_up_color",
            "commit_record": "CommitRecord Placeholder decode_commit_record encode_commit_record",
            "document": "Document decode_documents document_layers document_source_grid encode_document merge_document own_part",
            "grid": "decode_geometry encode_geometry encode_source_grid",
            "image": "encode_image image_geometry image_source_grid",
            "image_label": "change_image_label decode_image_label encode_image_label source_image",
            "index": "IndexLayout decode_index encode_index",
            "job": "JobRecord Move PassRecord decode_job encode_job",
            "json_diff": "differences",
            "json_text": "TooDeepError parse_object",
            "label": "LabelDocument array_layout decode_label encode_label",
            "migration": "own_violations schema_id",
            "multiscales": "Axis Dataset Multiscales decode_multiscales encode_multiscales update_multiscales",
            "node": "Node",
            "omero": "decode_channels encode_channels",
            "rules_store": "validate_store",
            "schema": "all_schemas schema_violations schemas_of short_json short_text",
            "text": "encode_json json_value",
            "validate": "validate_attributes",
            "version": "VERSIONS Version is_unknown listed_labels merge_attributes stated_versions unwrap wrap zarr_format",
            "violation": "Fix Place Severity Violation as_json",
        },
    )

__all__ = [
    "BIOFORMATS2RAW",
    "SERIES",
    "SPATIALDATA",
    "VERSIONS",
    "Axis",
    "Collection",
    "CommitRecord",
    "Dataset",
    "Document",
    "Fix",
    "IndexLayout",
    "JobRecord",
    "LabelDocument",
    "Move",
    "Multiscales",
    "Node",
    "PassRecord",
    "Place",
    "Placeholder",
    "Severity",
    "TooDeepError",
    "Version",
    "Violation",
    "all_schemas",
    "array_layout",
    "as_json",
    "change_image_label",
    "decode_channels",
    "decode_collection",
    "decode_commit_record",
    "decode_documents",
    "decode_geometry",
    "decode_image_label",
    "decode_index",
    "decode_job",
    "decode_label",
    "decode_multiscales",
    "differences",
    "document_layers",
    "document_source_grid",
    "encode_channels",
    "encode_commit_record",
    "encode_document",
    "encode_geometry",
    "encode_image",
    "encode_image_label",
    "encode_index",
    "encode_job",
    "encode_json",
    "encode_label",
    "encode_multiscales",
    "encode_source_grid",
    "image_geometry",
    "image_source_grid",
    "is_unknown",
    "json_value",
    "listed_labels",
    "listed_series",
    "made_up_color",
    "merge_attributes",
    "merge_document",
    "metadata_kinds",
    "own_part",
    "own_violations",
    "parse_object",
    "schema_id",
    "schema_violations",
    "schemas_of",
    "short_json",
    "short_text",
    "source_image",
    "stated_versions",
    "unwrap",
    "update_multiscales",
    "validate_attributes",
    "validate_store",
    "wrap",
    "zarr_format",
]
