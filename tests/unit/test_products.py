"""Products are whole or not there, and know what they came from."""

import json
from pathlib import Path

import pytest

from lmp_thermo.errors import WorkspaceError
from lmp_thermo.products import (
    MARKER,
    Product,
    folded_json,
    hash_of,
    read_json,
    write_json,
    write_text,
)


def write(text: str):  # type: ignore[no-untyped-def]
    def into(folder: Path) -> None:
        (folder / "a.txt").write_text(text)

    return into


def test_made_once(tmp_path: Path) -> None:
    product = Product(tmp_path / "made", {"x": 1})
    assert product.state == "missing"
    assert product.make(write("one"))
    assert product.state == "current"
    assert not product.make(write("two"))
    assert (product.folder / "a.txt").read_text() == "one"


def test_other_sources_make_it_stale_and_replace_it(tmp_path: Path) -> None:
    old = Product(tmp_path / "made", {"x": 1})
    old.make(write("one"))
    new = Product(tmp_path / "made", {"x": 2})
    assert new.state == "stale"
    with pytest.raises(WorkspaceError, match="stale; run the stage"):
        _ = new.content
    assert new.make(write("two"))
    assert old.state == "stale"
    assert (new.folder / "a.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_content_depends_on_files_not_on_sources(tmp_path: Path) -> None:
    contents = []
    for number in range(3):
        product = Product(tmp_path / str(number), {"x": number})
        product.make(write("same" if number < 2 else "other"))
        contents.append(product.content)
    assert contents[0] == contents[1] != contents[2]


def test_failure_leaves_the_old_product(tmp_path: Path) -> None:
    Product(tmp_path / "made", {"x": 1}).make(write("one"))

    def fail(folder: Path) -> None:
        (folder / "a.txt").write_text("half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        Product(tmp_path / "made", {"x": 2}).make(fail)
    assert (tmp_path / "made" / "a.txt").read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_what_a_kill_left_is_no_product(tmp_path: Path) -> None:
    product = Product(tmp_path / "made", {"x": 1})
    left = tmp_path / ".made.making"
    left.mkdir()
    (left / "a.txt").write_text("from a killed process")
    assert product.state == "missing"
    product.make(write("whole"))
    assert not left.exists()


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    product = Product(tmp_path / "made", {})
    product.make(write("one"))
    product.verify()
    (product.folder / "a.txt").write_text("ome")
    with pytest.raises(WorkspaceError, match="missing or corrupt"):
        product.verify()
    (product.folder / "a.txt").unlink()
    with pytest.raises(WorkspaceError, match="missing or corrupt"):
        product.verify()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}'])
def test_a_corrupt_marker_is_refused(tmp_path: Path, text: str) -> None:
    product = Product(tmp_path / "made", {})
    product.make(write("one"))
    (product.folder / MARKER).write_text(text)
    with pytest.raises(WorkspaceError, match="remove"):
        _ = product.state


def test_hash_of_does_not_depend_on_order() -> None:
    assert hash_of({"a": 1, "b": [1.5, "x"]}) == hash_of({"b": [1.5, "x"], "a": 1})
    assert hash_of([1, 2]) != hash_of([2, 1])
    with pytest.raises(ValueError, match="JSON"):
        hash_of(float("nan"))


def test_atomic_writing(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    assert read_json(path) == {"a": 1}
    write_text(path, "{")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        read_json(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_folded_json_is_the_same_in_short_lines() -> None:
    value = {
        "numbers": list(range(40)),
        "é": {"a": [1.5, None, True], "b": {}, "c": []},
        "nested": [{"name": "x" * 30, "list": [0.25] * 9} for _ in range(3)],
    }
    for width in (20, 60, 1000):
        text = folded_json(value, width)
        assert json.loads(text) == value
        folded = [line for line in text.splitlines() if line.strip(" ,").endswith(("]", "}"))]
        assert all(len(line) <= width + len('"nested": ,') for line in folded)
    assert folded_json(value, 1000).count("\n") == 0
    assert '\n "é": {"a": [1.5, null, true], "b": {}, "c": []},' in folded_json(value, 60)
    with pytest.raises(ValueError, match="not JSON compliant"):
        folded_json({"x": float("nan")})
