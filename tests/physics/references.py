"""References that several tests of labels ask."""

from lmp_thermo.sections import Reference as Section

LJ = Section.model_validate(
    {
        "name": "lj",
        "lammps": {
            "pair_commands": [
                "pair_style lj/cut 6.0",
                "pair_coeff 1 1 0.0103 3.4",
                "pair_coeff 2 2 0.014 3.65",
                "pair_coeff 1 2 0.012 3.5",
                "pair_modify shift yes",
            ],
            "cutoff_A": 6.0,
        },
    }
)
XTB = Section.model_validate(
    {
        "name": "gfn1-xtb",
        "ase": {
            "calculator": "tblite.ase.TBLite",
            "arguments": {"method": "GFN1-xTB", "accuracy": 0.01, "verbosity": 0},
        },
    }
)
