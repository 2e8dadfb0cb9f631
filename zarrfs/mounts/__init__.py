"""The mounts of this machine: starting, finding and ending them."""
