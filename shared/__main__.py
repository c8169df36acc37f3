"""The journal's commands: ``python -m shared run``, ``log``, ``train``, ``picture`` and ``bench``."""

import argparse
import os
import sys
from pathlib import Path

from shared import log, notebooks


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m shared", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run notebooks again and store what they print")
    run.add_argument(
        "notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="all of them, where none is named"
    )
    run.add_argument("--jobs", type=int, default=2, help="how many run side by side (default: 2)")
    run.add_argument(
        "--timings", action="store_true", help="also replace the pictures that show measured times"
    )
    show = commands.add_parser("log", help="write the progress log into the READMEs")
    show.add_argument("--mine", action="store_true", help="show your own progress instead")
    train = commands.add_parser("train", help="train what a notebook has no time for, and store its weights")
    train.add_argument("name", nargs="?", help="which one; without a name they are listed")
    train.add_argument("--seed", type=int, default=0, help="what chance begins with (default: 0)")
    train.add_argument(
        "--validate", action="store_true", help="keep 10,000 examples back, measure on them, store no weights"
    )
    train.add_argument(
        "--processes",
        type=int,
        default=1,
        choices=range(1, (os.cpu_count() or 1) + 1),
        help="how many share each batch (default: 1); with 2 or more set OPENBLAS_NUM_THREADS=1",
    )
    commands.add_parser("picture", help="draw the picture at the head of README.md anew")
    bench = commands.add_parser(
        "bench", help="time training steps beside PyTorch's (pip install -e '.[test,torch]')"
    )
    bench.add_argument(
        "--store", action="store_true", help="keep the figures for the notebook that reads them"
    )
    options = parser.parse_args(arguments)
    if options.command == "run":
        return run_notebooks(options)
    if options.command == "train":
        return train_recipe(options)
    if options.command == "picture":
        from shared import picture

        print(*picture.draw(), sep="\n")
    elif options.command == "bench":
        return compare_speed(options)
    elif options.mine:
        print(log.mine())
    else:
        print(
            "\n".join(f"updated {path.relative_to(notebooks.ROOT)}" for path in log.update())
            or "nothing to update"
        )
    return 0


def run_notebooks(options):
    from joblib import Parallel, delayed

    missing = [str(path) for path in options.notebooks if not path.is_file()]
    if missing:
        print(f"no such notebook: {', '.join(missing)}", file=sys.stderr)
        return 2
    paths = [path.resolve() for path in options.notebooks] or notebooks.paths()
    outcomes = Parallel(n_jobs=options.jobs, return_as="generator")(
        delayed(_run)(path, options.timings) for path in paths
    )
    failed = 0
    for path, outcome in zip(paths, outcomes, strict=True):
        failed += isinstance(outcome, str)
        print(
            f"{path.name}: " + (f"failed\n{outcome}" if isinstance(outcome, str) else f"{outcome:.0f} s"),
            flush=True,
        )
    return int(failed > 0)


def train_recipe(options):
    from shared import recipes

    if options.name not in recipes.RECIPES:
        for name, recipe in recipes.RECIPES.items():
            print(f"{name:14} {recipe.about}")
        return 0 if options.name is None else 2
    path, _ = recipes.RECIPES[options.name].run(
        options.name, options.seed, options.validate, processes=options.processes
    )
    if not options.validate:
        print(f"stored {path.relative_to(notebooks.ROOT)}")
    return 0


def compare_speed(options):
    from shared import bench

    try:
        figures = bench.measure()
    except ImportError as error:
        print(f"{error}: pip install -e '.[test,torch]'", file=sys.stderr)
        return 2
    print(bench.report(figures))
    if options.store:
        print(f"stored {bench.store(figures).relative_to(notebooks.ROOT)}")
    return 0


def _run(path, timings):
    try:
        return notebooks.run(path, timings)
    except Exception as error:
        return str(error)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # on Windows, a file or a pipe may know no ≈
        stream.reconfigure(errors="replace")
    sys.exit(main())
