"""Long training runs: they go on where they were, leave weights that can be read, and the stored ones hold."""

import dataclasses
import json

import numpy as np
import pytest

from shared import __main__, datasets, nn, optim, recipes, training

EXAMPLES = 10_300  # validation takes 10,000 of them


def tiny_data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (EXAMPLES, 1, 4, 4), dtype=np.uint8)
    y = (x[:, 0, :2].sum(axis=(1, 2)) > x[:, 0, 2:].sum(axis=(1, 2))).astype(np.int64)  # is the top darker?
    return (x, y), (x[:100], y[:100])


def noisy(x, rng):
    return x + rng.normal(0, 0.1, x.shape).astype(x.dtype)


TINY = recipes.Recipe(
    about="which half is darker",
    folder="chapter",
    model=lambda rng: nn.Sequential(
        nn.Flatten(), nn.Linear(16, 8, rng=rng), nn.ReLU(), nn.Dropout(0.1, rng=rng), nn.Linear(8, 2, rng=rng)
    ),
    dataset=tiny_data,
    optimizer=lambda parameters: optim.Adam(parameters, lr=0.01),
    epochs=3,
    batch_size=500,
    label_smoothing=0.1,
    transform=noisy,
)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A small recipe whose weights go to a folder of their own."""
    monkeypatch.setattr(recipes, "ROOT", tmp_path)
    monkeypatch.setitem(recipes.RECIPES, "tiny", TINY)
    (tmp_path / "chapter").mkdir()
    return tmp_path / "chapter" / "weights"


def test_a_run_leaves_its_weights_and_nothing_else(tiny):
    path, history = TINY.run("tiny", seed=3, quiet=True)
    assert path == recipes.weights("tiny", 3) == tiny / "tiny-3.npz"
    assert {file.name for file in tiny.iterdir()} == {"tiny-3.npz", "tiny-3.json"}
    assert json.loads(recipes.history_path("tiny", 3).read_text()) == history
    assert len(history) == 3 and "validation_accuracy" not in history[-1]
    stored = training.load(path)
    assert {name: array.dtype.name for name, array in stored.items()} == {
        "1.weight": "float16",
        "1.bias": "float32",
        "4.weight": "float16",
        "4.bias": "float32",
    }


def test_trained_is_what_was_stored_and_reads_pictures(tiny):
    path, _ = TINY.run("tiny", seed=3, quiet=True)
    model, (x, y) = recipes.trained("tiny", 3), tiny_data()[0]
    assert not model.training
    for name, array in training.load(path).items():
        assert model.state_dict()[name].dtype == np.float32
        assert np.array_equal(model.state_dict()[name], array)
    assert training.evaluate(model, nn.CrossEntropyLoss(), x / np.float32(255), y)[1] > 0.85


def test_a_seed_decides_everything(tiny):
    first = training.load(TINY.run("tiny", seed=3, quiet=True)[0])
    again = training.load(TINY.run("tiny", seed=3, quiet=True)[0])
    other = training.load(TINY.run("tiny", seed=4, quiet=True)[0])
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first)


def test_two_processes_learn_the_same_and_store_it_under_the_same_names(tiny):
    plain = dataclasses.replace(
        TINY, model=lambda rng: nn.Sequential(nn.Flatten(), nn.Linear(16, 2, rng=rng)), transform=None
    )
    one, two = (training.load(plain.run("tiny", 3, quiet=True, processes=number)[0]) for number in (1, 2))
    assert list(one) == list(two)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=2e-3)


@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("batches", [3, 25, 40])  # in the first, second and third epoch
def test_an_interrupted_run_goes_on_to_the_same_weights(tiny, batches, validate):
    recipe = dataclasses.replace(TINY, batch_size=20 if validate else 600)
    path, unbroken = recipe.run("tiny", 3, validate, quiet=True)
    wanted = {} if validate else training.load(path)
    path.unlink(missing_ok=True)
    seen = []

    def pull_the_plug(x, rng):
        seen.append(len(x))
        if len(seen) == batches:
            raise KeyboardInterrupt
        return noisy(x, rng)

    pull_the_plug.__name__ = "noisy"  # to the checkpoint it is the same recipe
    recipe = dataclasses.replace(recipe, transform=pull_the_plug)
    with pytest.raises(KeyboardInterrupt):
        recipe.run("tiny", 3, validate, quiet=True)
    assert not path.exists()
    _, history = recipe.run("tiny", 3, validate, quiet=True)
    assert history == unbroken
    epoch = (300 if validate else EXAMPLES) // recipe.batch_size + (not validate)
    assert len(seen) == 3 * epoch + (batches - 1) % epoch + 1  # only the broken epoch was begun again
    if not validate:
        stored = training.load(path)
        assert all(np.array_equal(stored[name], wanted[name]) for name in wanted)


def test_an_interrupted_validation_does_not_disturb_the_run(tiny):
    def break_off(x, rng):
        if len(list(tiny.iterdir())) > 0:  # after the first epoch
            raise KeyboardInterrupt
        return noisy(x, rng)

    with pytest.raises(KeyboardInterrupt):
        dataclasses.replace(TINY, transform=break_off).run("tiny", validate=True, quiet=True)
    assert len(list(tiny.iterdir())) == 1
    assert len(TINY.run("tiny", quiet=True)[1]) == 3 and recipes.weights("tiny").exists()


def test_the_rate_is_highest_after_the_warm_up(tiny):
    for warm_up, epoch in [(0.25, 1), (0.75, 3)]:
        recipe = dataclasses.replace(TINY, warm_up=warm_up, epochs=4)
        rates = [facts["lr"] for facts in recipe.run("tiny", quiet=True)[1]]
        assert np.argmax(rates) == epoch and abs(rates[epoch] - 0.01) < 1e-4


def test_validation_looks_at_the_last_10_000_and_stores_no_weights(tiny):
    TINY.run("tiny", seed=0, quiet=True)
    before = recipes.weights("tiny").read_bytes()
    _, history = TINY.run("tiny", seed=0, validate=True, quiet=True)
    assert {file.name for file in tiny.iterdir()} == {"tiny-0.npz", "tiny-0.json", "tiny-0.validation.json"}
    assert json.loads(recipes.history_path("tiny", validate=True).read_text()) == history
    assert recipes.weights("tiny").read_bytes() == before
    assert len(history) == 3 and 0 < history[-1]["validation_accuracy"] < 1

    def marked():  # the last 10,000 have labels that no one could learn from the others
        (x, y), test = tiny_data()
        return (x, np.where(np.arange(EXAMPLES) < EXAMPLES - 10_000, 0, 1)), test

    _, history = dataclasses.replace(TINY, dataset=marked, epochs=20).run("tiny", validate=True, quiet=True)
    assert history[-1]["validation_accuracy"] == 0


def test_the_test_data_are_not_touched(tiny):
    class Closed:
        def __getattr__(self, name):
            raise AssertionError("a run has looked at the test data")

        __getitem__ = __len__ = __iter__ = __array__ = __getattr__

    recipe = dataclasses.replace(TINY, dataset=lambda: (tiny_data()[0], Closed()))
    recipe.run("tiny", quiet=True)
    recipe.run("tiny", validate=True, quiet=True)


def test_the_command_trains_lists_and_refuses(tiny, capsys):
    assert __main__.main(["train", "tiny", "--seed", "7", "--validate"]) == 0
    assert "validation accuracy" in capsys.readouterr().out
    assert [file.name for file in tiny.iterdir()] == ["tiny-7.validation.json"]
    assert __main__.main(["train"]) == 0
    assert "which half is darker" in capsys.readouterr().out
    assert __main__.main(["train", "no-such-recipe"]) == 2


def test_a_recipe_without_weights_says_how_to_get_them(tiny):
    with pytest.raises(FileNotFoundError, match=r"python -m shared train tiny --seed 5"):
        recipes.trained("tiny", 5)
    with pytest.raises(ValueError, match=r"trained expected one of .*mlp.*, got 'tinny'"):
        recipes.trained("tinny")


@pytest.mark.parametrize("seed, wrong", [*enumerate([91, 105, 99, 89, 98])])
def test_the_stored_networks_read_mnist(seed, wrong):
    x, y = recipes.RECIPES["mlp"].dataset()[1]
    assert np.array_equal(x, datasets.load_mnist().test_images[:, None])
    assert recipes.weights("mlp", seed).stat().st_size < 500_000
    answers = recipes.trained("mlp", seed)(x / np.float32(255)).argmax(axis=1)
    assert abs(int((answers != y).sum()) - wrong) <= 1  # the figures of 04/05


@pytest.mark.parametrize("seed", range(5))
def test_the_stored_convolutional_networks_read_mnist(seed):
    x, y = recipes.RECIPES["cnn"].dataset()[1]
    assert recipes.weights("cnn", seed).stat().st_size < 500_000
    assert wrong_answers("cnn", seed, x, y) <= 48


def test_the_stored_residual_network_knows_what_it_sees():
    x, y = recipes.RECIPES["resnet"].dataset()[1]
    assert np.array_equal(x, datasets.load_cifar10().test_images)
    assert recipes.weights("resnet").stat().st_size < 700_000
    assert wrong_answers("resnet", 0, x[:2000], y[:2000]) <= 320


def wrong_answers(name, seed, x, y):
    net = recipes.trained(name, seed)
    answers = [
        net(x[start : start + 100] / np.float32(255)).argmax(axis=1) for start in range(0, len(x), 100)
    ]
    return int(np.sum(np.concatenate(answers) != y))
