"""Where the templates lie, and how they are filled in."""

import importlib.resources
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path

import jinja2

from lmp_thermo.errors import LmpThermoError


def templates_folder() -> Traversable:
    """The folder of templates: inside an installed package, beside it in a checkout.

    Raises:
        LmpThermoError: there is neither.
    """
    installed = importlib.resources.files("lmp_thermo") / "templates"
    if installed.is_dir():
        return installed
    checkout = Path(__file__).resolve().parents[1] / "templates"
    if checkout.is_dir():
        return checkout
    raise LmpThermoError(
        f"templates: found neither {installed} nor {checkout}; install the package again"
    )


@cache
def template(name: str, escape: bool = False) -> jinja2.Template:
    """A template; a name that it asks for and does not get is an error.

    Args:
        name: file below the folder of templates.
        escape: whether values are escaped for HTML.
    """
    text = templates_folder().joinpath(name).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escape,
    )
    return environment.from_string(text)
