"""The kernel's side of a mount: the only importer of pyfuse3 and trio."""
