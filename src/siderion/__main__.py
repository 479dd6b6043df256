"""``python -m siderion``."""

from siderion.cli.main import main

main()
