"""An array as its bytes in C order, in process."""
