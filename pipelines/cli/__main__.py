"""`python -m pipelines.cli` is `freefall`."""

from pipelines.cli.main import main

main()
