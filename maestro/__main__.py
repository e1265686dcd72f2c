"""``python -m maestro`` is the command ``maestro``."""

from maestro.cli import main

main()
