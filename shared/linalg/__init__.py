"""Linear algebra for pictures: vectors, matrices, distances, eigenvectors and principal components.

One rule for numbers holds in all of it. float32 stays float32 and float64 stays float64; whole numbers, such as the
uint8 pixels of a picture, are computed in float64, because 200 * 200 does not fit into a uint8.
"""

# ruff: noqa: F401 (these names are here to be found)

from shared.linalg.decomposition import PCA, power_iteration, svd
from shared.linalg.products import angle, cdist, cosine_similarity, dot, matmul, norm, one_hot, projection
