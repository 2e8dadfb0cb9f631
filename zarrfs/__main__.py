"""``python -m zarrfs`` is the program ``zarrfs``."""

from zarrfs.cli.main import main

main()
