"""The journal's own package: every file holds what the notebooks have built so far, in NumPy.

``import shared`` loads NumPy and nothing else; ask for the parts by name: ``from shared.linalg import dot``.
"""

import numpy as np

__all__ = ["manual_seed"]

_generator = np.random.default_rng()  # fresh entropy until manual_seed is called


def manual_seed(seed):
    """Restart the package's random generator, so that everything random that follows can be repeated.

    seed: a whole number, 0 or greater. Returns None (torch.manual_seed returns the generator).
    Parts that already hold the generator follow, because it is restarted in place. NumPy's own ``np.random``
    state is never touched.
    Raises TypeError when seed is not a whole number, ValueError when it is negative.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"manual_seed expected a whole number, got {seed!r}: try manual_seed(0)")
    if seed < 0:
        raise ValueError(f"manual_seed expected a number of 0 or greater, got {seed}: try manual_seed(0)")
    _generator.bit_generator.state = np.random.PCG64(seed).state


def default_rng(rng=None):
    """Return rng itself, or the package's generator when it is None: the rule behind every ``rng=`` of the package.

    rng: None or a numpy.random.Generator. For the modules of the package; readers use ``rng=`` and manual_seed.
    Raises TypeError for anything else: a bare seed given to two functions would make both draw the same numbers.
    """
    if rng is None:
        return _generator
    if isinstance(rng, np.random.Generator):
        return rng
    raise TypeError(
        f"rng expected a numpy.random.Generator or None, got {type(rng).__name__}: "
        "pass rng=np.random.default_rng(0), or leave rng out and call shared.manual_seed(0)"
    )
