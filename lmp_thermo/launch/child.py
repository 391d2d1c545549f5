"""Becomes the program it is told to start, and dies with its parent.

    python -I -S child.py PARENT PROGRAM ARGUMENTS...

It runs between fork and exec of the program: a function in the forked process would have to
run Python in a copy of a process with threads, which can hang. Standard library only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGKILL at the parent's death, then become the program.

    PARENT is the parent's process id, or 0 where the caller cannot know it (ranks of MPI).
    """
    parent, program, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        sys.exit(1)  # the parent died before the kernel was asked
    try:
        os.execv(program, arguments)
    except OSError as error:
        sys.exit(f"{program}: cannot be started ({error.strerror})")


if __name__ == "__main__":
    main()
