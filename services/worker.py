"""Workers of several services in one process: `python -m services.worker ledger risk credit dunning gateway`."""

import sys

from libs.kit.worker import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
