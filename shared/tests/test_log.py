"""The progress log: what the READMEs claim is what the notebooks hold."""

import shutil

import pytest

from shared import __main__ as command
from shared import log, notebooks


def test_the_progress_log_is_up_to_date():
    stale = [readme.relative_to(notebooks.ROOT).as_posix() for readme in log.stale()]
    assert not stale, f"{', '.join(stale)}: not what the notebooks say; run: python -m shared log"


@pytest.fixture
def journal(tmp_path, monkeypatch):
    """A copy of the first notebook and of the READMEs, in the place of the repository."""
    for name in ("README.md", "01-linear-algebra/README.md", "01-linear-algebra/01-vectors.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(notebooks.ROOT / name, tmp_path / name)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    log.update()
    return tmp_path


def test_a_row_for_each_notebook_with_links_that_fit_the_place(journal):
    claim = "| Nearest centroid on MNIST, test accuracy | 0.8203 | at least 0.81 |"
    for place, link in [
        ("", "01-linear-algebra/01-vectors.ipynb"),
        ("01-linear-algebra", "01-vectors.ipynb"),
    ]:
        table = (
            (journal / place / "README.md").read_text(encoding="utf-8").split(log.START)[1].split(log.END)[0]
        )
        assert table.strip().splitlines()[2:] == [f"| [01-01 When are two digits alike?]({link}) {claim}"]


def test_another_number_in_a_notebook_makes_both_readmes_stale(journal):
    assert log.stale() == log.update() == []
    path = journal / "01-linear-algebra" / "01-vectors.ipynb"
    path.write_bytes(path.read_bytes().replace(b"= 0.8203 |", b"= 0.8303 |"))
    assert log.stale() == [journal / "README.md", journal / "01-linear-algebra" / "README.md"]
    assert log.update() == [journal / "README.md", journal / "01-linear-algebra" / "README.md"]
    assert "| 0.8303 |" in (journal / "README.md").read_text(encoding="utf-8")
    assert log.stale() == []


def test_only_the_table_changes_and_line_ends_stay(journal):
    readme = journal / "README.md"
    text = readme.read_bytes()
    readme.write_bytes(text.replace(b"| 0.8203 |", b"| 0.9999 |"))
    assert text.count(b"\r") == 0 and log.update() == [readme]
    assert readme.read_bytes() == text


def test_a_readme_without_a_place_for_the_log_is_refused(journal):
    (journal / "README.md").write_text("# A journal\n", encoding="utf-8")
    with pytest.raises(ValueError, match="README.md .* has no lines <!-- progress log: start -->"):
        log.stale()


def test_the_command(journal, capsys):
    assert command.main(["log"]) == 0
    assert capsys.readouterr().out == "nothing to update\n"
    (journal / "README.md").write_text(f"{log.START}\n{log.END}\n", encoding="utf-8")
    assert command.main(["log"]) == 0
    assert capsys.readouterr().out == "updated README.md\n"


def test_a_new_empty_notebook_is_no_trouble(journal):
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")])
    assert notebooks.title(book) == notebooks.title(nbformat.v4.new_notebook()) == "(no title)"
