"""What a learner does first, in a real browser: open the first notebook, run it, move a slider."""

from shared import notebooks

FIRST = notebooks.ROOT / "01-linear-algebra" / "01-vectors.ipynb"


def test_the_first_notebook_runs_and_its_figure_follows_the_slider(lab):
    from playwright.sync_api import expect

    lab.open(FIRST)
    ran = [cell for cell in lab.run_all()["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in ran] == [*range(1, len(ran) + 1)]
    assert not [output for cell in ran for output in cell["outputs"] if output["output_type"] == "error"]
    stored = [cell for cell in notebooks.read(FIRST).cells if cell.cell_type == "code"]
    assert "".join(ran[-1]["outputs"][0]["text"]) == stored[-1].outputs[0].text

    live = lab.page.locator(".jp-OutputArea-output", has=lab.page.locator(".noUi-handle")).first
    figure, handle = live.locator("img"), live.locator(".noUi-handle").first
    assert figure.count() == 1  # the live one; the picture for those who only read is not shown beside it
    before, words = figure.get_attribute("src"), live.locator("span").last.inner_text()
    handle.focus()
    handle.press("ArrowRight")
    expect(figure).not_to_have_attribute("src", before, timeout=30_000)
    expect(live.locator("span").last).not_to_have_text(words)
    assert figure.get_attribute("src").startswith("data:image/png;base64,")
    assert (
        figure.evaluate("image => image.decode().then(() => image.naturalWidth)") > 600
    )  # a picture, and whole
