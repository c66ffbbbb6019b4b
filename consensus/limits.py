"""Every bound of the protocol core, named once, unit last.

Not here: what a city can choose (`primitives.parameters`), and limits of formats
(`primitives.limits`).
"""

VIEWS_AHEAD_MAX = 8  # votes and proposals of later views are not kept (R8)
ACTIVITY_TURNS = 2  # a leader unheard for so many rounds of all leaders is inactive (R1)

CLOCK_TOLERANCE_MS = 2_000
IDLE_STATUS_MS = 10_000
HELP_ABSTAINING_MS = 15_000
ABSTAIN_VIEWS = 2  # finalization needed this far above what others report (R12)

GAP_CERTIFICATES_MAX = 64  # sent in answer to one message
ANSWERS_PER_STATUS_MAX = 256  # certificates and blocks sent to one peer between two status ticks
VERIFYING_PER_PEER_MAX = 64  # certificates of one peer whose signatures are being checked
WANTED_BLOCKS_MAX = 64
TREE_BLOCKS_MAX = 256  # above the last final block; more are fetched when they are certified
FETCH_TRIES_MAX = 8  # then catch-up takes over
CATCH_UP_VIEWS = 16  # a finalization further ahead than this is caught up with, not fetched
FINAL_BLOCKS_KEPT = 16  # recent final blocks served by digest
REPEATED_VOTES_MAX = 16
EVIDENCE_PER_VALIDATOR_MAX = 16
