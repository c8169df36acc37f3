"""The progress log: the checkpoint lines stored in the notebooks, as tables in the READMEs."""

from shared import notebooks, progress

START, END = "<!-- progress log: start -->", "<!-- progress log: end -->"


def checkpoint(notebook):
    """The fields (claim, value, bar) of a notebook's stored checkpoint line, or None."""
    lines = [
        line
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for line in output.get("text", "").splitlines()
        if line.startswith("checkpoint ")
    ]
    fields = [field.strip() for field in lines[-1].split(" | ")[1:]] if lines else None
    return fields and tuple(fields + [""] * (3 - len(fields)))


def render(paths, base):
    """The table of the checkpoints of `paths`, with links relative to the folder `base`."""
    rows = ["| notebook | what it measured | result | needed |", "|---|---|---|---|"]
    for path in paths:
        notebook = notebooks.read(path)
        if fields := checkpoint(notebook):
            claim, value, bar = fields
            link = path.relative_to(base).as_posix()
            name = f"{notebooks.number(path)} {notebooks.title(notebook)}"
            rows.append(f"| [{name}]({link}) | {claim} | {value.lstrip('= ')} | {bar} |")
    return "\n".join(rows)


def pages():
    """Each README that holds a progress log, with the text that it should have."""
    for readme in [notebooks.ROOT / "README.md", *sorted(notebooks.ROOT.glob("[0-9][0-9]-*/README.md"))]:
        text = readme.read_text(encoding="utf-8")
        chapter = [path for path in notebooks.paths() if readme.parent in path.parents]
        if START not in text or END not in text:
            raise ValueError(
                f"{readme.name} in {readme.parent.name} has no lines {START} and {END} for the progress log"
            )
        before, _, rest = text.partition(START)
        table = render(chapter, readme.parent)
        yield readme, f"{before}{START}\n{table}\n{END}{rest.partition(END)[2]}"


def stale():
    """The READMEs whose progress log is not what the notebooks say."""
    return [readme for readme, text in pages() if readme.read_text(encoding="utf-8") != text]


def update():
    """Write the progress log into every README that needs it; returns those that changed."""
    changed = []
    for readme, text in pages():
        if readme.read_text(encoding="utf-8") != text:
            readme.write_bytes(text.encode())
            changed.append(readme)
    return changed


def mine():
    """The learner's own progress, as text."""
    from shared import exercises

    done, lines = progress.read(), []
    for path in notebooks.paths():
        number, solved = notebooks.number(path), done["exercises"]
        names = [name for name in exercises.load() if name.startswith(number)]
        reached = done["checkpoints"].get(number)
        mark = f"checkpoint {reached['value']} ({reached['date']})" if reached else "not run to its end yet"
        lines.append(f"{number} {notebooks.title(notebooks.read(path))}")
        lines.append(f"      {mark}; {sum(name in solved for name in names)} of {len(names)} exercises")
    return "\n".join(lines)
