"""Keys <-> bytes. Knows nothing of Zarr; all waiting on storage happens here."""
