"""zarrfs: mount any Zarr store and read its arrays as plain files."""
