"""`python -m moyai.verify evidence.moyai`: the offline verifier as a command."""

import sys

from moyai.verify.verifier import main

sys.exit(main())
