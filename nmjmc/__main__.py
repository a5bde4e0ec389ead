"""`python -m nmjmc` is `nmjmc`."""

import sys

from nmjmc.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
