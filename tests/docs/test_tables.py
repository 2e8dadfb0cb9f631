"""What the tables of the documentation list is what zarrfs has, no more and no less."""

from __future__ import annotations

import pytest

import zarrfs
from tests.docs.tables import first_names, table
from zarrfs.codecs.refused import REFUSED

NUMCODECS = "numcodecs."
V3_CODECS = [name for name in zarrfs.list_codecs() if not name.startswith(NUMCODECS)]
V2_CODECS = [
    name.removeprefix(NUMCODECS) for name in zarrfs.list_codecs() if name.startswith(NUMCODECS)
]


@pytest.mark.parametrize(
    ("page", "name", "served"),
    [
        ("data-types.md", "data types", zarrfs.list_data_types()),
        ("codecs.md", "codecs", V3_CODECS),
        ("codecs.md", "numcodecs", V2_CODECS),
        ("codecs.md", "refused", ["pickle", *REFUSED]),
        ("chunks.md", "chunk grids", zarrfs.list_chunk_grids()),
        ("chunks.md", "chunk key encodings", zarrfs.list_chunk_key_encodings()),
        ("interoperability.md", "data types", zarrfs.list_data_types()),
        ("interoperability.md", "codecs", V3_CODECS),
        ("interoperability.md", "numcodecs", V2_CODECS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_table_lists_what_is_served(page: str, name: str, served: list[str]) -> None:
    assert sorted(first_names(page, name)) == sorted(served)


def test_codecs_are_of_the_kind_that_the_page_tells() -> None:
    for row in table("codecs.md", "codecs"):
        kinds = {zarrfs.codec_info(name).kind for name in row[0].strip("`").split("` `")}
        assert kinds == {row[1]}, row[0]


def test_extras_are_those_that_the_page_tells() -> None:
    for page, prefix in (("codecs", ""), ("numcodecs", NUMCODECS)):
        for row in table("codecs.md", page):
            for name in row[0].strip("`").split("` `"):
                extra = zarrfs.codec_info(f"{prefix}{name}").extra
                assert ("extra" in row[-1]) == (extra is not None), name
                assert extra is None or extra in row[-1] or extra == name, name
