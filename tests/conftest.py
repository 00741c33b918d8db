"""What holds for every test: the terminal of whoever runs them decides nothing."""

import os

# Rich takes it for good when its console is made: a shell that exports it, and pytest-xdist, would fix every table's width.
for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
    os.environ.pop(name, None)
