"""The Zarr specifications as values: JSON and integers in, frozen values out. No I/O."""
