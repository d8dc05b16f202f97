# Today's launchers start `python -m sandbox_runtime.entrypoint`. Here that becomes oi-supervisor, in this very process: the
# same pid, environment, arguments and standard input. See docs/launchers.md.
import os
import sys

os.execvp("oi-supervisor", ["oi-supervisor", *sys.argv[1:]])
