"""The metadata documents of one node, by their names <-> the model, in either format.

Rewriting what somebody else wrote edits the stored documents, so that spelling, order and unknown
members survive. Laws: ``parse(serialise(m)) == m``; `with_attributes` and `with_shape` change
nothing but what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zarrfs.errors import MetadataError
from zarrfs.format import metadata_v2, metadata_v3
from zarrfs.format.chunk_grids import parse_chunk_grid, serialise_chunk_grid
from zarrfs.format.documents import Json
from zarrfs.format.extensions import parse_essential_extension
from zarrfs.format.metadata import ArrayMetadata
from zarrfs.format.node_keys import V2_ARRAY, V2_ATTRIBUTES, V2_GROUP, V3_DOCUMENT

if TYPE_CHECKING:
    from zarrfs.format.chunk_grids import ChunkGrid
    from zarrfs.format.metadata import GroupMetadata, ZarrFormat

Documents = Mapping[str, Mapping[str, Json]]
"""Members of a node's metadata documents, by the documents' names: ``zarr.json``; or ``.zarray``
or ``.zgroup`` and perhaps ``.zattrs``."""


def parse_documents(documents: Documents) -> ArrayMetadata | GroupMetadata:
    """Parse the documents of a node, of which there is one that makes it a node.

    Raises
    ------
    MetadataError
        If a document is malformed; its `key` is the document's name.
    UnsupportedError
        If it is valid, but needs an extension that zarrfs does not have.
    """
    name = main_document(documents)
    try:
        if name == V3_DOCUMENT:
            return metadata_v3.parse_node(documents[name])
        parse = metadata_v2.parse_array if name == V2_ARRAY else metadata_v2.parse_group
        return parse(documents[name], documents.get(V2_ATTRIBUTES))
    except MetadataError as error:
        raise error.at(name) from error


def serialise_documents(metadata: ArrayMetadata | GroupMetadata) -> Documents:
    """Return the documents of a node; the one that makes it a node comes first.

    Raises
    ------
    UnsupportedError
        If its format cannot hold it.
    """
    if metadata.zarr_format == 3:
        return {V3_DOCUMENT: metadata_v3.serialise_node(metadata)}
    if isinstance(metadata, ArrayMetadata):
        name, (main, attributes) = V2_ARRAY, metadata_v2.serialise_array(metadata)
    else:
        name, (main, attributes) = V2_GROUP, metadata_v2.serialise_group(metadata)
    return {name: main} if attributes is None else {name: main, V2_ATTRIBUTES: attributes}


def main_document(documents: Documents) -> str:
    """Name of the document that makes a node of what has them: v3's, then v2's."""
    return next(name for name in (V3_DOCUMENT, V2_ARRAY, V2_GROUP) if name in documents)


def is_array(documents: Documents) -> bool:
    """Whether a node's documents are those of an array, right or wrong otherwise."""
    name = main_document(documents)
    return name == V2_ARRAY or documents[name].get("node_type") == "array"


def zarr_format_of(documents: Documents) -> ZarrFormat:
    """Format of a node, told by its documents' names."""
    return 3 if V3_DOCUMENT in documents else 2


def with_attributes(documents: Documents, attributes: Mapping[str, Json]) -> Documents:
    """Return a node's documents with other attributes."""
    if V3_DOCUMENT in documents:
        edited = {**documents[V3_DOCUMENT], "attributes": attributes}
        return {**documents, V3_DOCUMENT: edited}
    return {**documents, V2_ATTRIBUTES: attributes}


def with_shape(documents: Documents, grid: ChunkGrid) -> Documents:
    """Return an array's documents with the shape of a grid.

    The chunk grid is spelled as it was if that tiles the new shape as `grid` does.
    """
    name = main_document(documents)
    edited = {**documents[name], "shape": list(grid.shape)}
    if name == V3_DOCUMENT and not _tiles_as(edited["chunk_grid"], grid):
        edited["chunk_grid"] = serialise_chunk_grid(grid)
    return {**documents, name: edited}


def _tiles_as(spelled: Json, grid: ChunkGrid) -> bool:
    extension = parse_essential_extension(spelled, "chunk_grid")
    try:
        return parse_chunk_grid(extension, grid.shape, "chunk_grid") == grid
    except MetadataError:
        return False
