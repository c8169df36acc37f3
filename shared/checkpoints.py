"""The last cell of every notebook: a claim, the number just measured, and the bar it has to clear."""

import math

from shared import progress


def checkpoint(notebook, claim, value, at_least=None, at_most=None, exactly=None, unit="", value_is="exact"):
    """Print the notebook's claim on one line of fixed form, and fail when the value falls short.

    `value_is` says how far the number can be trusted to come out again: "exact" (integers, float64 arithmetic) is
    printed after `=`; "approximate" (the end of a float32 training run, the size of a rounding error) after `≈`, and is
    not compared when the notebook is tested; of a "timing" only the bar is printed.
    Raises AssertionError when the bar is missed, ValueError when there is none.
    """
    bars = {"at least": at_least, "at most": at_most, "exactly": exactly}
    bars = {word: bar for word, bar in bars.items() if bar is not None}
    if len(bars) != 1:
        raise ValueError(
            f"checkpoint {notebook} needs one of at_least, at_most, exactly; got {len(bars)} of them"
        )
    if value_is not in ("exact", "approximate", "timing") or (value_is == "timing" and at_least is None):
        raise ValueError(f'value_is is "exact", "approximate", or "timing" with at_least; got {value_is!r}')
    if "|" in claim:
        raise ValueError("the claim of a checkpoint can't hold a |, which separates its fields")
    [(word, bar)] = bars.items()
    value, bar = (number.item() if hasattr(number, "item") else number for number in (value, bar))
    cleared = {"at least": value >= bar, "at most": value <= bar, "exactly": value == bar}[word]
    if not cleared or math.isnan(value):
        raise AssertionError(
            f"checkpoint {notebook}: {claim}: measured {_text(value)}{unit}, needed {word} {_text(bar)}{unit}. "
            "Restart the kernel and run all cells in order; if it still falls short, look at what was changed last."
        )
    if value_is == "timing":
        fields = [f"over {_text(bar)}{unit}"]
    else:
        fields = [f"{'=' if value_is == 'exact' else '≈'} {_text(value)}{unit}", f"{word} {_text(bar)}{unit}"]
    print(" | ".join([f"checkpoint {notebook}", claim, *fields]))
    progress.record("checkpoints", notebook, {"claim": claim, "value": fields[0], "date": progress.today()})


def _text(number):
    return f"{number:,}" if isinstance(number, int) else f"{number:.4g}"
