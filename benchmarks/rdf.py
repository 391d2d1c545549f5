"""Radial distribution of one frame: MDAnalysis's InterRDF and ours side by side.

    python benchmarks/rdf.py [--large]

Random points at 0.1 atoms/Å^3, pairs up to 10 Å (or half the box) in 0.05 Å bins, one thread.
``--large`` adds 100 000 atoms, where InterRDF needs about 5 GB. Seconds for each frame, the best
of three; both count the same pairs.
"""

import argparse
import time
from collections.abc import Callable

import freud
import MDAnalysis
import numpy as np
from MDAnalysis.analysis.rdf import InterRDF

from lmp_thermo.analysis.rdf import RadialDistribution
from lmp_thermo.analysis.sites import AtomSites

DENSITY_A3 = 0.1
BIN_WIDTH_A = 0.05
N_FRAMES = 2


def random_universe(n_atoms: int) -> MDAnalysis.Universe:
    """A cubic box of random points, two frames."""
    length = (n_atoms / DENSITY_A3) ** (1.0 / 3.0)
    frames = np.random.default_rng(0).uniform(0.0, length, (N_FRAMES, n_atoms, 3))
    universe = MDAnalysis.Universe.empty(
        n_atoms, n_residues=n_atoms, atom_resindex=np.arange(n_atoms), trajectory=True
    )
    box = np.array([length] * 3 + [90.0] * 3, dtype=np.float32)
    universe.load_new(frames.astype(np.float32), dimensions=box, dt=1.0)
    return universe


def best_of_three(work: Callable[[], object]) -> float:
    """Shortest wall time of three, s."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(n_atoms: int) -> tuple[float, float, float]:
    """Seconds for each frame of InterRDF and ours, and their largest difference in counts."""
    universe = random_universe(n_atoms)
    atoms = universe.atoms
    r_max = BIN_WIDTH_A * int(min(10.0, 0.499 * universe.dimensions[0]) / BIN_WIDTH_A)
    theirs = InterRDF(
        atoms, atoms, nbins=round(r_max / BIN_WIDTH_A), range=(0.0, r_max), exclusion_block=(1, 1)
    )
    sites = AtomSites(atoms, "all")
    ours = RadialDistribution(sites, sites, r_max=r_max, bin_width=BIN_WIDTH_A)
    seconds_theirs = best_of_three(theirs.run) / N_FRAMES
    seconds_ours = best_of_three(ours.run) / N_FRAMES
    difference = ours.results.counts - theirs.results.count / N_FRAMES
    return seconds_theirs, seconds_ours, float(np.abs(difference).max())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="100 000 atoms too")
    sizes = [1_000, 10_000] + [100_000] * parser.parse_args().large
    freud.parallel.set_num_threads(1)
    print(
        f"{'atoms':>8} {'InterRDF (s)':>13} {'ours (s)':>9} {'ratio':>6} {'counts differ by':>17}"
    )
    for n_atoms in sizes:
        theirs, ours, difference = measure(n_atoms)
        ratio = theirs / ours
        print(f"{n_atoms:8d} {theirs:13.3f} {ours:9.3f} {ratio:6.1f} {difference:17.1f}")


if __name__ == "__main__":
    main()
