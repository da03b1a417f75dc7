"""`python -m wakegate` is `wakegate`."""

from wakegate.cli.main import main

main()
