"""Whether a potential was found right at a state point: the question that a user asks of it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lmp_thermo.potential.card import read_card, read_final_envelope
from lmp_thermo.states import StatePoint


@dataclass(frozen=True)
class Answer:
    """Whether a state point lies inside an envelope.

    Args:
        density_g_cm3, temperature_K: of the state point.
        covered: the answer.
        reasons: why not; empty where it is covered.
        envelope: ``final``, ``provisional`` or ``none``.
    """

    density_g_cm3: float
    temperature_K: float
    covered: bool
    reasons: list[str]
    envelope: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"{self.density_g_cm3:g} g/cm3, {self.temperature_K:g} K"
        if not self.covered:
            return f"no: {where}: {'; '.join(self.reasons)} ({self.envelope} envelope)"
        found = {
            "final": "runs of the potential held in the cells around it",
            "provisional": "held-out frames of the cells around it are predicted right; no run "
            "is behind that",
        }
        return f"yes: {where}: {found[self.envelope]} ({self.envelope} envelope)"


def covers(folder: Path, state: StatePoint, validation: Path | None = None) -> Answer:
    """Whether the potential in a folder was found right at a state point.

    Args:
        folder: of an exported potential.
        state: asked for.
        validation: folder of its validation, whose envelope is final; without one the card's
            provisional envelope answers.

    Raises:
        PotentialError: one of the folders is corrupt, or they do not belong together.
    """
    card = read_card(folder)
    envelope = card.envelope if validation is None else read_final_envelope(validation, card)
    reasons = card.outside(state) if envelope is None else envelope.outside(state)
    status = "none" if envelope is None else envelope.status
    return Answer(state.density_g_cm3, state.temperature_K, not reasons, reasons, status)
