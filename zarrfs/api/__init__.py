"""The Python API: arrays and groups as objects. Blocking; works without FUSE."""
