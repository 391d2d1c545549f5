"""Every tolerance of the tests, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PluginTolerance:
    """How far two evaluations of one model may be apart, per atom where extensive."""

    energy_eV: float
    force_eV_A: float
    virial_bar_A3: float


# Two orders of summation of one model. float64: energies of about 5 eV and forces of about 1 eV/Å
# carry eps = 2e-16 through some 1e3 additions; 1e-10 is the promise of the plugin. float32:
# eps = 6e-8 on values of order 1 through 3 layers. Virials: the same times r = 4 Å, 20 neighbours
# and 1.6e6 bar Å^3/eV.
PLUGIN_PARITY = {
    "float64": PluginTolerance(1e-11, 1e-10, 1e-2),
    "float32": PluginTolerance(5e-6, 1e-5, 1e3),
}

# Central differences of the energy in double precision: the error of the formula, h^2/6 times a
# third derivative of up to 1e3 eV/Å^3, is 2e-6 at h = 1e-4 Å, and round-off, 1e-14 * 50 eV / 2e-4
# Å, is 2.5e-9. For a strain of 1e-5 (lever arms of 4 Å, some 100 pairs) the two are 5e-6 and 5e-8.
FINITE_DIFFERENCE_FORCE_EV_A = 5e-6
FINITE_DIFFERENCE_VIRIAL_EV = 1e-5

# Promised cost of loading the plugin at the start of a deck that does not use it.
AUTO_LOAD_OVERHEAD_S = 0.05

# A handful of operations in double precision: some 1e4 times eps = 2e-16 at most.
ROUND_OFF = 1e-12

# Statistical tests: five standard errors of a Gaussian, a false alarm in 1.7e6; seeds are fixed,
# so a test that passes once always passes.
K_SIGMA = 5.0

# Standard errors are themselves estimates: with 150 repetitions their ratio to the true scatter
# is known to 1/sqrt(300) = 6 %, so 4 sigma (seeds are fixed) is 23 %; the estimator's own bias
# at 100 independent samples adds 2 %.
ERROR_BAR_RATIO = 0.25

# Reduced chi^2 of 150 bins or more has a standard deviation of sqrt(2/150) = 0.115; 5 sigma, and
# 5 % for error bars from 60 samples.
REDUCED_CHI_SQUARED = 0.65

# Positions of up to 100 Å in float32 (half a unit in the last place: 4e-6 Å), as in DCD files.
FLOAT32_LENGTH_A = 2e-5

# Pairs whose distance changes bin between float32 and float64: 2 * 4e-6 Å / bin of 0.05 Å = 2e-4 of
# all pairs; twice that.
REBINNED_PAIRS = 4e-4

# Potential energy of 108 atoms from positions in float32 (half a unit in the last place at 30 Å:
# 1e-6 Å) against LAMMPS's own: forces of up to 1 eV/Å on 324 coordinates, adding like random
# numbers, give 2e-5 eV; five times that.
DCD_ENERGY_EV = 1e-4

# Velocity Verlet: halving the timestep divides the scatter of the total energy by 4 to leading
# order; the next order, (omega dt)^2 / 4 with omega = 8 /ps and dt = 4 fs, is 3e-4, and the scatter
# of two different trajectories over some 40 vibrations is known to 10 % each.
VERLET_ORDER_RATIO = (2.8, 5.6)

# Two evaluations of one float32 model in Python, one frame at a time and in batches: eps = 6e-8 on
# energies of some 10 eV an atom and forces of some 10 eV/Å, through some 100 additions.
FLOAT32_ENERGY_EV_ATOM = 5e-5
FLOAT32_FORCE_EV_A = 5e-5

# LAMMPS's metal units are built on CODATA 2010 and older constants: 1.5e-7 in Avogadro's number,
# 1.2e-6 in Boltzmann's.
LAMMPS_CONSTANTS = 2e-6

# Midpoint rule for an integral over r of a pair energy in bins of h = 0.01 Å: h^2/24 u''/u, with
# u''/u up to 12 * 13 / r^2 = 15 Å^-2 at the repulsive wall; ten times that for the cancellation of
# repulsion and attraction.
PAIR_ENERGY_BINS = 6e-4

# Central difference of sum_i r_i E_i over 2e-6 ps: the error of the formula is (1e-6 ps * 20 Å/ps
# / 0.1 Å)^2 = 4e-8 relative, round-off 1e-15 * 24 atoms * 5 eV * 20 Å / 2e-6 ps = 1e-6 of a flux of
# some 100 eV Å/ps; LAMMPS's own constants have eight digits. The promise is 1e-5.
HEAT_FLUX_RELATIVE = 1e-5
# The same flux summed in another order: double precision, some 1e3 additions, partly cancelling.
HEAT_FLUX_RANKS_RELATIVE = 1e-10

# Central differences of a reference's energy. LAMMPS pair styles: h = 1e-4 Å, third derivatives of
# some 10 eV/Å^3, and 1e-14 eV of round-off, 1e-7 and 1e-10. xTB: h = 2e-3 Å because its energies
# are converged to 1e-8 eV only; C-H bonds have a third derivative of -180 eV/Å^3, hence 1.2e-4.
# Stress: the same over areas of some 50 Å^2.
REFERENCE_FORCE_EV_A = 3e-4
REFERENCE_STRESS_EV_A3 = 5e-6

# Resident memory from step 1000 to step 10 000. One float64 leaked a step and atom (20 atoms) would
# be 1.4 MB, one edge list some 20 MB; the heap itself settles within a few hundred kB.
MEMORY_GROWTH_KB = 1024
