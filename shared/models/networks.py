"""LeNet-5, AlexNet, residual networks, and a small network of today."""

from shared import nn


class LeNet5(nn.Sequential):
    """The network that read cheques: two convolutions, each halved by pooling, then three fully connected layers.

    Shapes: x (N, 1, 28, 28), padded by 2 on the way, or with padding=0 (N, 1, 32, 32) -> logits (N, 10). 61,706
    parameters. Different from 1998: ReLU for tanh, the largest of four for their weighted mean, each map of C3 sees
    all maps of S2, and the last layer is linear.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section II.B.
    Built in 05-cnn/05-lenet.ipynb.
    """

    def __init__(self, padding=2, *, rng=None):
        super().__init__(
            nn.Conv2d(1, 6, 5, padding=padding, rng=rng),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(6, 16, 5, rng=rng),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(400, 120, rng=rng),
            nn.ReLU(),
            nn.Linear(120, 84, rng=rng),
            nn.ReLU(),
            nn.Linear(84, 10, rng=rng),
        )


class SmallCNN(nn.Sequential):
    """Five convolutions with batch normalisation in three stages: small enough for a laptop, the best here for MNIST.

    Shapes: x (N, 1, 28, 28) -> logits (N, 10). 144,826 parameters.
    Source: the habits of its time, as in Simonyan & Zisserman (2015) and Ioffe & Szegedy (2015).
    Built in 05-cnn/05-lenet.ipynb.
    """

    def __init__(self, dropout=0.3, *, rng=None):
        super().__init__(
            *_normalised(1, 16, rng),
            nn.MaxPool2d(2),
            *_normalised(16, 32, rng),
            *_normalised(32, 32, rng),
            nn.MaxPool2d(2),
            *_normalised(32, 64, rng),
            *_normalised(64, 64, rng),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout, rng=rng),
            nn.Linear(64 * 3 * 3, 128, rng=rng),
            nn.ReLU(),
            nn.Linear(128, 10, rng=rng),
        )


def _normalised(in_channels, out_channels, rng):
    """A convolution whose bias the batch normalisation behind it would take out again."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False, rng=rng)
    return convolution, nn.BatchNorm2d(out_channels), nn.ReLU()


class AlexNet(nn.Sequential):
    """Five convolutions and three fully connected layers: the network that won ImageNet in 2012, on one processor.

    Shapes: x (N, 3, 224, 224), at least 63 x 63 -> logits (N, num_classes). 61,100,840 parameters for 1,000 classes.
    Source: Krizhevsky, Sutskever & Hinton (2012); sizes of Krizhevsky (2014), as in torchvision.models.AlexNet.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """

    def __init__(self, num_classes=1000, dropout=0.5, *, rng=None):
        sizes = [
            (3, 64, 11, 4, 2),
            (64, 192, 5, 1, 2),
            (192, 384, 3, 1, 1),
            (384, 256, 3, 1, 1),
            (256, 256, 3, 1, 1),
        ]
        features = []
        for place, (inputs, outputs, kernel, stride, padding) in enumerate(sizes):
            features += [nn.Conv2d(inputs, outputs, kernel, stride, padding, rng=rng), nn.ReLU()]
            if place in (0, 1, 4):
                features.append(nn.MaxPool2d(3, 2))
        self.features, self.avgpool, self.flatten = (
            nn.Sequential(*features),
            nn.AdaptiveAvgPool2d(6),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, rng=rng),
            nn.Linear(256 * 6 * 6, 4096, rng=rng),
            nn.ReLU(),
            nn.Dropout(dropout, rng=rng),
            nn.Linear(4096, 4096, rng=rng),
            nn.ReLU(),
            nn.Linear(4096, num_classes, rng=rng),
        )


class BasicBlock(nn.Module):
    """Two convolutions that learn what to add to their input: y = relu(x + residual(x)).

    Shapes: x (N, in_channels, H, W) -> y (N, out_channels, H', W'), smaller by stride. Where x has another shape than
    y it passes a convolution of one pixel (`downsample`) before it is added.
    Source: He et al. (2016), figure 2 and option B of section 3.3; torchvision.models.resnet.BasicBlock.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """

    def __init__(self, in_channels, out_channels, stride=1, *, rng=None):
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False, rng=rng)
        self.bn1, self.relu1 = nn.BatchNorm2d(out_channels), nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False, rng=rng)
        self.bn2, self.relu2, self.downsample = nn.BatchNorm2d(out_channels), nn.ReLU(), None
        if stride != 1 or in_channels != out_channels:
            convolution = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False, rng=rng)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(out_channels))

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y + (x if self.downsample is None else self.downsample(x)))

    def backward(self, grad_y):
        grad_sum = self.relu2.backward(grad_y)  # a sum passes its gradient on to both of its parts
        grad = self.conv2.backward(self.bn2.backward(grad_sum))
        grad = self.conv1.backward(self.bn1.backward(self.relu1.backward(grad)))
        return grad + (grad_sum if self.downsample is None else self.downsample.backward(grad_sum))


class ResNet(nn.Sequential):
    """Residual blocks in stages: each stage but the first halves the image and doubles the channels.

    blocks: how many in each stage; width: channels of the first. small: the start for images of 32 x 32, one 3 x 3
    convolution, in place of 7 x 7, stride 2, and pooling. Shapes: x (N, in_channels, H, W) -> logits (N, num_classes).
    Source: He et al. (2016), table 1 and section 4.2; torchvision.models.ResNet, names and start too.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """

    def __init__(self, blocks, width, num_classes, *, small, in_channels=3, rng=None):
        kernel, stride, padding = (3, 1, 1) if small else (7, 2, 3)
        self.conv1 = nn.Conv2d(in_channels, width, kernel, stride, padding, bias=False, rng=rng)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU()
        if not small:
            self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for stage, number in enumerate(blocks):
            outputs, strides = width * 2**stage, [1 if stage == 0 else 2] + [1] * (number - 1)
            parts = [
                BasicBlock(inputs if place == 0 else outputs, outputs, strides[place], rng=rng)
                for place in range(number)
            ]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*parts))
            inputs = outputs
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(inputs, num_classes, rng=rng)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", rng=rng)


def resnet8(num_classes=10, **options):
    """ResNet with one block in each of three stages of 16, 32 and 64 channels, for images of 32 x 32.

    Source: He et al. (2016), section 4.2, with n = 1.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """
    return ResNet((1, 1, 1), 16, num_classes, small=True, **options)


def resnet20(num_classes=10, **options):
    """ResNet with three blocks in each of three stages of 16, 32 and 64 channels, for images of 32 x 32.

    Source: He et al. (2016), section 4.2, with n = 3; shortcuts by option B, since BasicBlock has no other.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """
    return ResNet((3, 3, 3), 16, num_classes, small=True, **options)


def resnet18(num_classes=1000, **options):
    """ResNet with two blocks in each of four stages of 64 to 512 channels, for images of 224 x 224.

    11,689,512 parameters for 1,000 classes, with the names and shapes of torchvision.models.resnet18.
    Source: He et al. (2016), table 1.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """
    return ResNet((2, 2, 2, 2), 64, num_classes, small=False, **options)
