"""What a picture looks like, wherever things are in it: Gram matrices, and gradient descent on pixels to match them.

Pictures are floats from 0 to 1, (3, H, W); what goes through a network is a batch (N, 3, H, W). float32 stays float32,
float64 stays float64. The pictures of 05-cnn/style are made by paintings.py.
"""

import math

import numpy as np

from shared import checks, default_rng, images, nn, optim


def gram(features):
    """How strongly each two maps of an image answer at the same places: the mean of their products.

    Shapes: features (N, C, H, W) -> (N, C, C), symmetric. Divided by H W, so that a texture has the same Gram matrix in
    a small picture and in a large one. Raises TypeError or ValueError when features are no images.
    Source: Gatys, Ecker & Bethge (2016), Image style transfer using convolutional neural networks, eq. 3.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    checks.images("gram", features)
    flat = features.reshape(*features.shape[:2], -1)
    return flat @ flat.swapaxes(1, 2) / flat.shape[2]


class Features(nn.Module):
    """A network that hands out what it sees on the way: the picture goes down a trunk, and from each stage to a branch.

    trunk and branches: lists of modules, one branch for each stage (nn.Sequential() hands the stage's output out as it
    is). Shapes: x (N, 3, H, W) -> a list of maps (N, C, H', W'); backward takes a list of their gradients, in which
    None stands for 0, and returns that of x. Raises ValueError when there are not as many branches as stages.
    Source: Gatys et al. (2016), section 2; torchvision.models.feature_extraction has the idea in general.
    Built in 05-cnn/09-style-transfer.ipynb.
    """

    def __init__(self, trunk, branches):
        if len(trunk) != len(branches):
            found = f"{len(branches)} for {len(trunk)}"
            raise ValueError(f"Features expected a branch for each stage, got {found}: try nn.Sequential()")
        self.trunk, self.branches = nn.Sequential(*trunk), nn.Sequential(*branches)

    def forward(self, x):
        maps = []
        for stage, branch in zip(self.trunk, self.branches, strict=True):
            x = stage(x)
            maps.append(branch(x))
        return maps

    def backward(self, grads):
        grad_x = None
        for stage, branch, grad in reversed([*zip(self.trunk, self.branches, grads, strict=True)]):
            if grad is not None:
                grad = branch.backward(grad)
                grad_x = grad if grad_x is None else grad_x + grad  # what a stage feeds adds up
            grad_x = None if grad_x is None else stage.backward(grad_x)
        return grad_x


def random_filters(levels, channels=32, kernel_size=5, *, rng=None):
    """An untrained network that sees textures: random filters on the picture, its half, its quarter, and so on.

    Each level has two branches: channels // 2 filters of one pixel, which see colours, and `channels` filters of
    kernel_size x kernel_size whose weights add up to 0 in each colour, which see forms. Both end in a ReLU, and pad
    nothing. Shapes: (N, 3, H, W) -> 2 levels maps.
    Source: Ustyuzhaninov, Brendel, Gatys & Bethge (2017), What does it take to generate natural textures?, where the
    filters themselves are small and large; that they add up to 0, and the separate colours, are ours.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    rng, trunk, branches = default_rng(rng), [], []
    for level in range(levels):
        color = nn.Conv2d(3, channels // 2, 1, rng=rng)
        color.weight.data[:] = _unit(rng.normal(size=color.weight.shape))
        grey_answers = color.weight.data.sum(axis=(1, 2, 3)) / 2  # about these lie the kinks of the ReLU
        color.bias.data[:] = rng.uniform(-0.5, 0.5, channels // 2) - grey_answers
        form = nn.Conv2d(3, channels, kernel_size, bias=False, rng=rng)
        weight = rng.normal(size=form.weight.shape)
        form.weight.data[:] = _unit(weight - weight.mean(axis=(2, 3), keepdims=True))
        # three means of two pixels, the last with stride 2: weights 1 3 3 1, soft enough not to leave a grid
        shrink = nn.Sequential(nn.AvgPool2d(2, 1), nn.AvgPool2d(2, 1), nn.AvgPool2d(2))
        trunk += [shrink if level else nn.Sequential(), nn.Sequential()]
        branches += [nn.Sequential(color, nn.ReLU()), nn.Sequential(form, nn.ReLU())]
    return Features(trunk, branches)


def _unit(weight):
    return weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True))


class StyleLoss:
    """How far the Gram matrices of some maps are from those of a style: |G - A|² / |A|², the mean over the maps.

    Shapes: maps, a list of (N, C, H, W), and target, a list of (N, C, C) -> a number, 0 where all agree, 1 for empty
    maps; backward() -> a list of gradients, shaped as the maps.
    Source: Gatys et al. (2016), eqs. 4 to 6; divided by |A|², each map counts the same, however strong its answers.
    Built in 05-cnn/09-style-transfer.ipynb.
    """

    def __call__(self, maps, target):
        self.maps, self.lengths = maps, [max(np.sum(A**2), 1e-12) for A in target]  # no division by 0
        self.differences = [gram(F) - A for F, A in zip(maps, target, strict=True)]
        return _mean_share(self.differences, self.lengths)

    def backward(self):
        grads = []
        for F, difference, length in zip(self.maps, self.differences, self.lengths, strict=True):
            flat = F.reshape(*F.shape[:2], -1)
            grad = (4 / (length * flat.shape[2] * len(self.maps)) * difference) @ flat
            grads.append(grad.reshape(F.shape))
        return grads


class ContentLoss:
    """How far some maps are from those of a content, place by place: |F - P|² / |P|², the mean over the maps.

    Shapes: maps and target, lists of (N, C, H, W) -> a number; backward() -> a list of gradients, shaped as the maps.
    Source: Gatys et al. (2016), eqs. 1 and 2; divided by |P|² as StyleLoss is.
    Built in 05-cnn/09-style-transfer.ipynb.
    """

    def __call__(self, maps, target):
        self.lengths = [max(np.sum(P**2), 1e-12) for P in target]
        self.differences = [F - P for F, P in zip(maps, target, strict=True)]
        return _mean_share(self.differences, self.lengths)

    def backward(self):
        pairs = zip(self.differences, self.lengths, strict=True)
        return [2 / (length * len(self.lengths)) * difference for difference, length in pairs]


def _mean_share(differences, lengths):
    return float(np.mean([np.sum(d**2) / length for d, length in zip(differences, lengths, strict=True)]))


class TotalVariation:
    """How much neighbouring pixels differ: the sum of the squared steps to the right and down, for each number of x.

    Shapes: x (N, C, H, W) -> a number; backward() -> its gradient (N, C, H, W).
    Source: Mahendran & Vedaldi (2015), section 3, with beta = 2.
    Built in 05-cnn/09-style-transfer.ipynb.
    """

    def __call__(self, x):
        self.down, self.right, self.size = np.diff(x, axis=2), np.diff(x, axis=3), x.size
        return float((np.sum(self.down**2) + np.sum(self.right**2)) / x.size)

    def backward(self):
        N, C, H, W = *self.right.shape[:3], self.down.shape[3]
        grad = np.zeros((N, C, H, W), self.down.dtype)
        grad[:, :, 1:] += self.down
        grad[:, :, :-1] -= self.down
        grad[..., 1:] += self.right
        grad[..., :-1] -= self.right
        return 2 / self.size * grad


def match_colors(img, other):
    """Move the colours of a picture so that their mean and covariance are those of another picture.

    Shapes: img (3, H, W), other (3, H', W') -> (3, H, W). Of all matrices that do it, the one that changes least. What
    leaves the range from 0 to 1 is clipped; do it the other way round, and a style gets the colours of a content.
    Source: Gatys, Bethge, Hertzmann & Shechtman (2016), Preserving color in neural artistic style transfer, section 3;
    the matrix is that of Pitié & Kokaram (2007), eq. 15.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    mine, theirs = img.reshape(3, -1), other.reshape(3, -1)
    root, away = _power(np.cov(mine), 0.5), _power(np.cov(mine), -0.5)
    matrix = away @ _power(root @ np.cov(theirs) @ root, 0.5) @ away
    moved = matrix @ (mine - mine.mean(axis=1, keepdims=True)) + theirs.mean(axis=1, keepdims=True)
    return np.clip(moved, 0, 1).reshape(img.shape).astype(img.dtype)


def _power(covariance, power):
    values, directions = np.linalg.eigh(covariance)
    return directions * np.maximum(values, 1e-14) ** power @ directions.T


def transfer(
    features,
    content,
    style,
    content_weight=0.1,
    tv_weight=0.0,
    steps=60,
    lr=0.05,
    *,
    start=None,
    content_from=2,
):
    """Adam on the pixels of a picture, until its Gram matrices are those of style and its maps those of content.

    content: a picture, or None for a texture alone (then start is needed); the picture begins as start, by default as
    content. content_from: the first of the maps in which contents are compared. The learning rate falls to 0 in the
    second half. Shapes: pictures (3, H, W) -> (picture, history), float64 (steps + 1,), the loss before each step and
    behind the last one. Raises ValueError when there is nothing to start from.
    Source: Gatys et al. (2016), eq. 7, there with L-BFGS.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    if start is None and content is None:
        raise ValueError("transfer expected start where content is None, got neither: try random pixels")
    [steps] = checks.numbers("transfer", "steps", steps, 1, least=0)
    of_style, of_content, variation = StyleLoss(), ContentLoss(), TotalVariation()
    grams = [gram(F) for F in features(style[None])]
    places = None if content is None else features(content[None])[content_from:]
    picture = nn.Parameter(())
    picture.data = np.array((content if start is None else start)[None])
    optimizer, history = optim.Adam([picture], lr), []
    for step in range(steps + 1):
        maps = features(picture.data)
        history.append(of_style(maps, grams) + tv_weight * variation(picture.data))
        grads = of_style.backward()
        if places is not None:
            history[-1] += content_weight * of_content(maps[content_from:], places)
            for number, grad in enumerate(of_content.backward(), content_from):
                grads[number] = grads[number] + content_weight * grad
        if step == steps:
            return picture.data[0], np.array(history)
        features.zero_grad()  # of the filters, which stay as they are
        picture.grad = features.backward(grads) + tv_weight * variation.backward()
        optimizer.lr = lr * min(1, 2 - 2 * step / steps)
        optimizer.step()
        np.clip(picture.data, 0, 1, out=picture.data)


def coarse_to_fine(features, content, style, sizes, *, rng=None, **options):
    """`transfer` of small pictures first, each result enlarged as the start of the next: large forms come first.

    features: size -> Features. sizes: of the squares, rising. The first start is content, or grey noise without one.
    Shapes: pictures (3, H, W) -> (picture (3, size, size) of the last size, a list of histories).
    Source: Gatys, Ecker, Bethge, Hertzmann & Shechtman (2017), Controlling perceptual factors, section 6.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    picture, histories = content, []
    if content is None:
        picture = default_rng(rng).uniform(0.4, 0.6, (3, sizes[0], sizes[0])).astype(style.dtype)
    for size in sizes:
        target = None if content is None else images.resize(content, (size, size))
        start, model = images.resize(picture, (size, size)), images.resize(style, (size, size))
        picture, history = transfer(features(size), target, model, start=start, **options)
        histories.append(history)
    return picture, histories


def filters_for(size):
    """The random filters for squares of this size (24 or more): as many levels as fit, in float64, always the same.

    Built in 05-cnn/09-style-transfer.ipynb.
    """
    return random_filters(int(math.log2(size)) - 2, rng=np.random.default_rng(0)).to(np.float64)
