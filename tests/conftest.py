"""What holds for every test: how Hypothesis draws, so that one commit has one answer.

Not here: fixtures of one topic; each test folder has its own.
"""

import os

from hypothesis import HealthCheck, settings

# The quick suite draws the same examples on every machine; the nightly run looks for new ones.
settings.register_profile(
    "quick",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("MOYAI_HYPOTHESIS_PROFILE", "quick"))
