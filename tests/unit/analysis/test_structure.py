"""Radial distribution and coordination against theory and MDAnalysis."""

import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.analysis.rdf import InterRDF

from lmp_thermo.analysis.coordination import CoordinationNumber, switched
from lmp_thermo.analysis.density import Density
from lmp_thermo.analysis.rdf import RadialDistribution, minimum_of_rdf
from lmp_thermo.analysis.sites import AtomSites, named_sites
from lmp_thermo.analysis.trajectory import run_analysis
from lmp_thermo.errors import AnalysisError
from lmp_thermo.units import G_CM3_PER_G_MOL_A3
from tests.tolerances import (
    ERROR_BAR_RATIO,
    FLOAT32_LENGTH_A,
    K_SIGMA,
    REBINNED_PAIRS,
    REDUCED_CHI_SQUARED,
    ROUND_OFF,
)

CUBE = [20.0, 20.0, 20.0, 90.0, 90.0, 90.0]
FCC_A = 5.0


def fcc(cells: int) -> np.ndarray:
    """Positions of a face-centred cubic lattice, (4 cells^3, 3) Å."""
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1)
    return FCC_A * (corners.reshape(-1, 1, 3) + basis).reshape(-1, 3)


def dumbbells(rng, n_frames, n, vectors):
    """Pairs of atoms 1.32 Å apart in random directions at random places."""
    direction = rng.normal(size=(n_frames, n, 3))
    direction *= 0.66 / np.linalg.norm(direction, axis=-1, keepdims=True)
    centres = rng.uniform(0.0, 1.0, (n_frames, n, 3)) @ vectors
    return np.stack([centres - direction, centres + direction], axis=2).reshape(n_frames, -1, 3)


def test_ideal_gas_is_one_within_its_error_bars(make_trajectory, triclinic) -> None:
    vectors, dimensions = triclinic
    frames = np.random.default_rng(1).uniform(0.0, 1.0, (60, 300, 3)) @ vectors
    trajectory = make_trajectory(frames, dimensions)
    sites = named_sites(trajectory, "Ar")
    rdf = RadialDistribution(sites, sites, r_max=7.5, bin_width=0.04)
    found = run_analysis(rdf, trajectory, trajectory.frames).results
    counted = found.counts > 1.0
    assert counted.sum() > 150
    deviations = (found.g - 1.0)[counted] / found.standard_error[counted]
    assert np.mean(deviations**2) == pytest.approx(1.0, abs=REDUCED_CHI_SQUARED)
    # N(N - 1) pairs, not N^2: the mean over the whole range is 1, not 1 - 1/N.
    total = found.counts.sum() / (300 * 299) * np.linalg.det(vectors)
    sphere = 4.0 / 3.0 * np.pi * found.r_max**3
    poisson = 1.0 / np.sqrt(0.5 * 60 * found.counts.sum())
    assert total / sphere == pytest.approx(1.0, abs=K_SIGMA * poisson)


def test_error_bars_count_correlated_frames(make_trajectory) -> None:
    distinct = np.random.default_rng(2).uniform(0.0, 20.0, (40, 100, 3))
    trajectory = make_trajectory(np.repeat(distinct, 5, axis=0), CUBE)
    sites = named_sites(trajectory, "all")
    errors = []
    for frames in (trajectory.frames, trajectory.frames[::5]):
        rdf = RadialDistribution(sites, sites, r_max=9.5, bin_width=0.5)
        found = run_analysis(rdf, trajectory, frames).results
        errors.append(found.standard_error[found.counts > 1.0])
    assert np.median(errors[0] / errors[1]) == pytest.approx(1.0, abs=ERROR_BAR_RATIO)


@pytest.mark.parametrize("exclude", [True, False])
def test_like_and_unlike_pairs_as_mdanalysis_counts_them(
    make_trajectory, triclinic, exclude
) -> None:
    vectors, dimensions = triclinic
    frames = dumbbells(np.random.default_rng(3), 3, 150, vectors)
    trajectory = make_trajectory(frames, dimensions, ["C", "O"] * 150, [2] * 150)
    atoms = trajectory.universe.atoms
    for a, b in (("C", "C"), ("C", "O")):
        sites_a = named_sites(trajectory, a)
        sites_b = sites_a if a == b else named_sites(trajectory, b)
        ours = run_analysis(
            RadialDistribution(
                sites_a, sites_b, r_max=7.5, bin_width=0.05, exclude_same_molecule=exclude
            ),
            trajectory,
            trajectory.frames,
        ).results
        block = (1, 1) if exclude or a == b else None
        theirs = InterRDF(
            atoms[atoms.elements == a],
            atoms[atoms.elements == b],
            nbins=150,
            range=(0.0, 7.5),
            exclusion_block=block,
        ).run()
        expected = theirs.results.count / 3
        assert np.abs(ours.counts - expected).sum() < REBINNED_PAIRS * expected.sum()
        # MDAnalysis takes n^2 less the blocks as the number of pairs: the same n(n - 1).
        assert ours.g.sum() == pytest.approx(theirs.results.rdf.sum(), rel=REBINNED_PAIRS)
        bond = ours.g[(ours.r > 1.2) & (ours.r < 1.4)].max()
        assert (bond > 5.0) == (a != b and not exclude)
        assert exclude is False or np.all(ours.g >= 0.0)


def test_centres_of_molecules(make_trajectory, triclinic) -> None:
    vectors, dimensions = triclinic
    frames = dumbbells(np.random.default_rng(4), 2, 100, vectors)
    frames = (frames @ np.linalg.inv(vectors) % 1.0) @ vectors
    trajectory = make_trajectory(frames, dimensions, ["C", "C"] * 100, [2] * 100)
    centres = named_sites(trajectory, "centres")
    rdf = RadialDistribution(centres, centres, r_max=7.5, bin_width=0.25)
    ours = run_analysis(rdf, trajectory, trajectory.frames).results
    expected = np.zeros(30)
    for ts in trajectory.universe.trajectory:
        points = centres.positions()
        distances = MDAnalysis.lib.distances.self_distance_array(points, ts.dimensions)
        expected += np.histogram(distances, bins=ours.edges)[0]
    assert np.array_equal(ours.counts, expected)


def test_fcc_crystal(make_trajectory) -> None:
    rng = np.random.default_rng(5)
    positions = fcc(4) + 0.02 * rng.normal(size=(8, 256, 3))
    trajectory = make_trajectory(positions % 20.0, CUBE)
    sites = named_sites(trajectory, "Ar")
    rdf = run_analysis(
        RadialDistribution(sites, sites, r_max=9.0, bin_width=0.05), trajectory, trajectory.frames
    )
    peak, position = rdf.first_peak()
    assert position == pytest.approx(FCC_A / np.sqrt(2.0), abs=0.05)
    assert peak.name == "rdf_peak.Ar-Ar"
    minimum = rdf.first_minimum()
    assert minimum is not None
    assert FCC_A / np.sqrt(2.0) < minimum < FCC_A
    # Shells at 1, sqrt(2), sqrt(3) and 2 nearest distances.
    for ratio, expected in ((1.2, 12), (1.57, 18), (1.87, 42), (2.1, 54)):
        count = run_analysis(
            CoordinationNumber(sites, sites, cutoff=ratio * FCC_A / np.sqrt(2.0)),
            trajectory,
            trajectory.frames,
        )
        assert count.hard().value == expected
        assert count.results.probability[expected] == 1.0
    assert minimum_of_rdf(sites, sites, trajectory, trajectory.frames) == pytest.approx(
        minimum, abs=0.2
    )


def test_coordination_in_an_ideal_gas(make_trajectory, triclinic) -> None:
    vectors, dimensions = triclinic
    frames = np.random.default_rng(6).uniform(0.0, 1.0, (200, 100, 3)) @ vectors
    trajectory = make_trajectory(frames, dimensions, ["C"] * 40 + ["O"] * 60)
    a, b = named_sites(trajectory, "C"), named_sites(trajectory, "O")
    count = run_analysis(
        CoordinationNumber(a, b, cutoff=5.0, half_width=1.0), trajectory, trajectory.frames
    )
    density = 60 / np.linalg.det(vectors)
    hard, smooth = count.hard(), count.smooth()
    r = np.linspace(0.0, 6.0, 6001)
    weighted = np.trapezoid(4 * np.pi * r**2 * switched(r, 5.0, 1.0), r) * density
    sphere = 4.0 / 3.0 * np.pi * 125.0 * density
    assert abs(hard.value - sphere) < K_SIGMA * hard.standard_error
    assert abs(smooth.value - weighted) < K_SIGMA * smooth.standard_error
    probability = count.results.probability
    assert probability.sum() == pytest.approx(1.0, rel=ROUND_OFF)
    assert probability @ count.results.numbers == pytest.approx(
        count.results.hard.mean(), rel=ROUND_OFF
    )
    # Binomial: 60 sites, each inside the sphere with the same chance.
    p = sphere / 60
    assert abs(probability[0] - (1 - p) ** 60) < K_SIGMA * count.results.standard_error[0]


def test_switch_is_half_at_the_cutoff() -> None:
    r = np.array([0.0, 3.9, 4.0, 4.5, 5.0, 5.1])
    assert switched(r, 4.5, 0.5) == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.0, 0.0], abs=ROUND_OFF)


def test_gas_has_no_first_minimum(make_trajectory) -> None:
    frames = np.random.default_rng(7).uniform(0.0, 20.0, (20, 50, 3))
    trajectory = make_trajectory(frames, CUBE)
    sites = named_sites(trajectory, "Ar")
    with pytest.raises(AnalysisError, match=r"all-all|Ar-Ar: g\(r\) has no first minimum up to"):
        minimum_of_rdf(sites, sites, trajectory, trajectory.frames)


def test_range_is_cut_to_the_smallest_box(make_trajectory) -> None:
    frames = np.random.default_rng(8).uniform(0.0, 8.0, (4, 50, 3))
    trajectory = make_trajectory(frames, CUBE)
    shrinking = np.tile(np.array(CUBE), (4, 1))
    shrinking[:, 1] = [20.0, 18.0, 13.0, 19.0]
    trajectory.universe.load_new(
        frames.astype(np.float32), dimensions=shrinking.astype(np.float32), dt=0.1
    )
    sites = named_sites(trajectory, "all")
    rdf = RadialDistribution(sites, sites, r_max=12.0, bin_width=0.5)
    found = run_analysis(rdf, trajectory, trajectory.frames).results
    assert found.reduced
    assert found.r_max == 6.0
    density = run_analysis(Density(trajectory), trajectory, trajectory.frames)
    expected = 50 * 39.948 / (400.0 * shrinking[:, 1]) * G_CM3_PER_G_MOL_A3
    assert density.results.density == pytest.approx(expected, rel=FLOAT32_LENGTH_A)
    assert not density.density().imposed


def test_density_of_a_fixed_box_is_imposed(make_trajectory) -> None:
    trajectory = make_trajectory(np.arange(18.0).reshape(3, 2, 3), CUBE)
    density = run_analysis(Density(trajectory), trajectory, trajectory.frames).density()
    assert density.imposed
    assert density.value == pytest.approx(
        2 * 39.948 / 8000.0 * G_CM3_PER_G_MOL_A3, rel=FLOAT32_LENGTH_A
    )


def test_what_cannot_be_asked(make_trajectory) -> None:
    frames = np.random.default_rng(9).uniform(0.0, 20.0, (2, 10, 3))
    trajectory = make_trajectory(frames, CUBE, ["C"] + ["O"] * 9)
    one, all_sites = named_sites(trajectory, "C"), named_sites(trajectory, "all")
    with pytest.raises(AnalysisError, match="C-C: no pair of different sites, expected at least"):
        RadialDistribution(one, one)
    with pytest.raises(AnalysisError, match="bin width = 0 Å, expected above 0 and below r_max"):
        RadialDistribution(all_sites, all_sites, bin_width=0)
    with pytest.raises(AnalysisError, match="bin width = 11 Å, expected below half the smallest"):
        run_analysis(
            RadialDistribution(all_sites, all_sites, r_max=12, bin_width=11),
            trajectory,
            trajectory.frames,
        )
    with pytest.raises(AnalysisError, match="half width = 5 Å, expected above 0 and below"):
        CoordinationNumber(all_sites, all_sites, cutoff=5, half_width=5)
    with pytest.raises(AnalysisError, match=r"distance 12\.25 Å, expected less than half"):
        run_analysis(
            CoordinationNumber(all_sites, all_sites, cutoff=12), trajectory, trajectory.frames
        )
    with pytest.raises(AnalysisError, match=r"memory: no species 'H', expected one of C, O, cen"):
        named_sites(trajectory, "H")
    with pytest.raises(AnalysisError, match="nothing: no atom selected"):
        AtomSites(trajectory.universe.atoms[:0], "nothing")
    with pytest.raises(AnalysisError, match=r"1 frame\(s\), expected at least 2"):
        run_analysis(RadialDistribution(all_sites, all_sites), trajectory, trajectory.frames[:1])
    with pytest.raises(AnalysisError, match="memory: no frame selected"):
        run_analysis(Density(trajectory), trajectory, trajectory.frames[:0])
    trajectory.universe.atoms.masses = 0.0
    with pytest.raises(AnalysisError, match=r"memory: total mass = 0\.0 g/mol"):
        Density(trajectory)
