"""The errors a user can meet.

Each message is one line: what, got, expected, what to do next. The command line prints it
and exits with its status; ``--debug`` adds the traceback.
"""


class LmpThermoError(Exception):
    """Base of every error that the package raises on purpose.

    Attributes:
        exit_status: of the command line.
    """

    exit_status = 1


class StudyError(LmpThermoError):
    """The study file asks for something that cannot be done as written."""


class WorkspaceError(LmpThermoError):
    """The workspace is held by another run, incomplete, corrupt, or not writable."""


class FrameError(LmpThermoError):
    """A frame or a file of frames is missing, corrupt, or not what its tags say."""


class LabelError(LmpThermoError):
    """The reference could not label a frame."""


class TrainingError(LmpThermoError):
    """Training could not start, go on, or end."""


class PotentialError(LmpThermoError):
    """An exported potential is missing, corrupt, or fails its parity check."""


class DeckError(LmpThermoError):
    """A deck cannot be written, or disagrees with its potential."""


class RunError(LmpThermoError):
    """A LAMMPS run could not be started or stopped before its end."""


class AnalysisError(LmpThermoError):
    """A trajectory, log, or series cannot be analysed."""


class ValidationError(LmpThermoError):
    """A validation cannot be carried out with what is there."""
