"""Names of codecs that zarrfs does not have -> the reason, where there is one to tell."""

from __future__ import annotations

from types import MappingProxyType

_GDEFLATE = "is private to the Rust library zarrs, and no Python package decodes its streams"
_OPTIONAL = "is private to the Rust library zarrs, as is the data type of optional values it is for"

REFUSED = MappingProxyType(
    {
        "conditional": (
            "is a draft of the registry without a schema, which leaves open what the codecs in it "
            "see of the array when one before them was skipped"
        ),
        "gdeflate": _GDEFLATE,
        "n5_default": "is for the blocks of N5, whose metadata zarrfs does not read",
        "optional": _OPTIONAL,
        "zarrs.gdeflate": _GDEFLATE,
        "zarrs.optional": _OPTIONAL,
    }
)
