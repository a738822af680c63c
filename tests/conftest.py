"""What holds for every test.

How long one example takes is no part of what it proves. A shell that starts a command in the
background lets it ignore interrupts, and its children too: tests that interrupt a child would wait
for ever.
"""

import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

signal.signal(signal.SIGINT, signal.default_int_handler)
