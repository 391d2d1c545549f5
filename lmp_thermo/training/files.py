"""Names of the files in the folder of a training."""

from typing import Final

CONFIGURATION: Final = "config.yaml"
TRAINING: Final = "training.xyz"
VALIDATION: Final = "validation.xyz"
START: Final = "start.ckpt"
LAST: Final = "last.ckpt"
PREVIOUS: Final = "previous.ckpt"
FINAL: Final = "final.ckpt"
PROGRESS: Final = "progress.jsonl"
LOG: Final = "train.log"
FAILURE: Final = "failure.txt"
COMPILED: Final = "compiled"  # a folder: what torch made of the model for faster updates
