"""What the course says of itself, and what the module that reads it promises."""

import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workbook.course import CourseError, course, lesson, root

REPOSITORY = Path(__file__).resolve().parents[1]

# As the curriculum has it: title, length, minutes, part, weeks, video.
LESSONS = {
    "01_micrograd": ("Building micrograd", "2h 25m", 145, 1, "1-2", "VMj-3S1tku0"),
    "02_bigram": ("Building makemore", "1h 57m", 117, 1, "1-2", "PaCmpygFfXo"),
    "03_mlp": ("MLP", "1h 15m", 75, 2, "3-4", "TCH_1BHY58I"),
    "04_batchnorm": (
        "Activations & gradients, BatchNorm", "1h 55m", 115, 2, "3-4", "P6sfmUTpUmc",
    ),
    "05_backprop": (
        "Becoming a backprop ninja", "1h 55m", 115, 2, "3-4", "q8SA3rM6ckI",
    ),
    "06_wavenet": ("Building a WaveNet", "56m", 56, 3, "5", "t3YJ5hKiMQ0"),
    "07_gpt": ("Let's build GPT", "1h 56m", 116, 3, "6-7", "kCc8FmEb1nY"),
    "08_tokenizer": ("GPT tokenizer", "2h 13m", 133, 3, "6-7", "zduSFxRajkE"),
}  # fmt: skip

PARTS = {
    1: "Foundations",
    2: "MLPs and training dynamics",
    3: "Advanced architectures",
}

# Word for word, after "Watch video".
TRACKER = {
    "micrograd": ["Implement micrograd from scratch", "Complete exercises"],
    "bigram": ["Implement bigram model", "Experiment with torch.Tensor"],
    "mlp": ["Implement MLP language model", "Experiment with hyperparameters"],
    "batchnorm": ["Visualize activation/gradient statistics", "Implement BatchNorm"],
    "backprop": [
        "Manual backprop through full network",
        "Complete all gradient derivations",
    ],
    "wavenet": ["Implement hierarchical model", "Understand torch.nn internals"],
    "gpt": ["Implement GPT from scratch", "Train on Shakespeare dataset"],
    "tokenizer": ["Implement BPE tokenizer", "Understand tokenization issues"],
}
TICKED_BY_HAND = {
    "Watch video",
    "Experiment with torch.Tensor",
    "Experiment with hyperparameters",
    "Visualize activation/gradient statistics",
    "Understand torch.nn internals",
    "Train on Shakespeare dataset",
    "Understand tokenization issues",
}

CONCEPTS = {
    "micrograd": "computational graphs | forward and backward pass | chain rule | "
    "gradient descent | the `Value` class with autograd",
    "bigram": "character-level language modelling | `torch.Tensor` operations | "
    "negative log likelihood | the training loop | sampling",
    "mlp": "embedding layers | hidden layers and activations | "
    "learning-rate schedules | train/dev/test splits | over- and underfitting",
    "batchnorm": "activation statistics | gradient statistics | "
    "Kaiming/He initialisation | Batch Normalization | diagnostic plots",
    "backprop": "manual gradient of cross-entropy | "
    "manual gradient of the linear layer | manual gradient of tanh | "
    "manual gradient of BatchNorm | manual gradient of the embedding",
    "wavenet": "hierarchical (tree) architectures | dilated convolutions | "
    "`torch.nn.Module` | `torch.nn.Sequential` | the development workflow",
    "gpt": "self-attention | multi-head attention | transformer blocks | "
    "positional encodings | causal masking | the paper",
    "tokenizer": "byte pair encoding | `encode`/`decode` | Unicode and UTF-8 | "
    "special tokens | tokenization artifacts in LLMs",
}

EXERCISES = {
    "micrograd": "derivative value local_grads toposort backward functions operators "
    "neuron_layer_mlp sgd gradient_by_hand softmax_nll gradcheck",
    "bigram": "vocabulary counts probabilities sample nll pairs logits softmax train "
    "cross_entropy splits trigram tune_smoothing",
    "mlp": "build_dataset splits embed hidden cross_entropy minibatch_step lr_finder "
    "schedule evaluate train sample init_loss beat_the_lecture skip_connections",
    "batchnorm": "initial_loss saturation dead_units kaiming linear tanh batchnorm "
    "layer_statistics update_ratio train_deep all_zero_init fold_batchnorm layernorm",
    "backprop": "logprobs softmax_chain linear_backward tanh_backward bn_gain_bias "
    "bn_chain embedding_backward cross_entropy_fused batchnorm_fused train_by_hand "
    "compare layernorm_backward attention_backward",
    "wavenet": "embedding flatten_consecutive sequential module batchnorm_3d "
    "receptive_field hierarchical_model smooth_loss train conv_equals_tree "
    "to_torch_nn experiment_log beat_the_lecture",
    "gpt": "codec batches bigram_lm averaging head multi_head batched_heads "
    "feed_forward block gpt generate train masked_loss_addition finetune kv_cache "
    "sdpa rotary speedrun",
    "tokenizer": "utf8 pair_counts merge train decode encode regex_split "
    "regex_tokenizer special_tokens save_load gpt4_tokenizer compression artifacts "
    "fast_train codepoint_bpe",
}

MODULES = {
    "micrograd": (
        "code/micrograd/micrograd.py",
        "Value Neuron Layer MLP softmax nll topological_order gradient_check",
    ),
    "bigram": (
        "code/makemore/bigram.py",
        "Vocabulary count_bigrams probabilities sample average_nll bigram_pairs "
        "split_words count_trigrams",
    ),
    "mlp": (
        "code/makemore/mlp.py",
        "build_dataset split_words MLP evaluate sample",
    ),
    "batchnorm": (
        "code/makemore/layers.py",
        "Linear BatchNorm1d LayerNorm Tanh",
    ),
    "backprop": (
        "code/makemore/backprop.py",
        "compare cross_entropy_backward batchnorm_backward linear_backward "
        "tanh_backward embedding_backward layernorm_backward",
    ),
    "wavenet": (
        "code/makemore/wavenet.py",
        "Module Embedding FlattenConsecutive Linear BatchNorm1d Tanh Sequential "
        "WaveNet CausalDilatedWaveNet",
    ),
    "gpt": (
        "code/gpt/gpt.py",
        "GPTConfig GPT Head MultiHeadAttention FeedForward Block",
    ),
    "tokenizer": (
        "code/tokenizer/bpe.py",
        "BasicTokenizer RegexTokenizer GPT4Tokenizer GPT2_SPLIT_PATTERN "
        "GPT4_SPLIT_PATTERN read_ranks recover_merges bytes_per_token bits_per_byte "
        "number_cuts fast_train fast_encode CodePointTokenizer",
    ),
}

LECTURE_ONE = [
    "What is a derivative?",
    "A value that remembers",
    "Backpropagation by hand",
    "Backpropagation by machine",
    "One node, several uses",
    "More operations, and what an operation is",
    "The same in PyTorch",
    "Neurons, layers, networks",
    "Descent",
]


@pytest.fixture(autouse=True)
def this_repository(monkeypatch):
    monkeypatch.setenv("WORKBOOK_ROOT", str(REPOSITORY))


@pytest.fixture(params=LESSONS)
def one(request):
    """Each of the eight lessons in turn."""
    return lesson(request.param)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a course.toml into a folder of its own and make that the root."""

    def put(text):
        (tmp_path / "course.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
        return tmp_path

    return put


SMALL = """
title = "T"
author = "A"

[[lesson]]
number = 1
slug = "toy"
title = "Toy"
video = "https://youtu.be/toy"
length = "5m"
"""


# --- What the course says -----------------------------------------------------


def test_there_are_eight_lessons_in_order():
    assert [one.name for one in course().lessons] == list(LESSONS)
    assert [one.number for one in course().lessons] == list(range(1, 9))


def test_title_length_part_weeks_and_video_are_the_curriculum_s(one):
    *facts, video = LESSONS[one.name]
    assert [one.title, one.length, one.minutes, one.part, one.weeks] == facts
    assert urlsplit(one.video).hostname in ("youtu.be", "www.youtube.com")
    assert one.video.endswith(video)
    assert one.part_title == PARTS[one.part]


def test_every_lesson_lies_in_the_weekly_path_once():
    listed = [slug for stage in course().path for slug in stage.lessons]
    assert listed == [one.slug for one in course().lessons]
    assert all(stage.goal.endswith(".") for stage in course().path)


def test_every_address_is_https_with_a_host_and_no_blank():
    about = course()
    shelves = (about.papers, about.repositories, about.further_reading)
    addresses = [about.page, about.playlist, about.discord]
    addresses += [thing.url for shelf in shelves for thing in shelf]
    addresses += [one.video for one in about.lessons]
    for address in addresses:
        parts = urlsplit(address)
        assert parts.scheme == "https" and "." in parts.netloc, address
        assert not re.search(r"\s", address), address


def test_no_address_is_listed_twice_on_a_shelf():
    about = course()
    for shelf in (about.papers, about.repositories, about.further_reading):
        addresses = [thing.url for thing in shelf]
        assert len(set(addresses)) == len(addresses)


def test_front_page_names_author_repositories_papers_and_reading():
    about = course()
    assert about.author == "Andrej Karpathy" and about.author in about.credit
    names = {"micrograd", "makemore", "nanoGPT", "minbpe", "minGPT"}
    assert {one.name for one in about.repositories} == names
    years = {(paper.key, paper.year) for paper in about.papers}
    assert years >= {("attention", 2017), ("gpt2", 2019), ("wavenet", 2016)}
    assert years >= {("batchnorm", 2015), ("subwords", 2015)}
    makers = " ".join(one.author for one in about.further_reading)
    for maker in ("3Blue1Brown", "Alammar", "Goodfellow", "Nielsen"):
        assert maker in makers


def test_prerequisites_and_tips_are_the_curriculum_s():
    asked = course().prerequisites
    assert asked.needed == ("solid Python", "derivatives and gaussians")
    assert asked.helpful == ("NumPy", "high school calculus")
    wanted = "code along, break things, visualize, read the papers, discord, repeat"
    tips = [tip.name.lower() for tip in course().tips]
    assert len(tips) == 6
    assert all(w in tip for w, tip in zip(wanted.split(", "), tips, strict=True))


def test_a_lesson_asks_one_question_and_promises_three_things(one):
    assert one.question.count("?") == 1 and one.question.endswith("?")
    assert 3 <= len(one.objectives) <= 4
    assert one.ideas and one.repositories


def test_a_lesson_builds_only_on_earlier_ones(one):
    earlier = {other.slug for other in course().lessons if other.number < one.number}
    assert set(one.builds_on) <= earlier
    assert bool(one.builds_on) == (one.number > 1)


def test_exported_module_and_public_names_are_the_contract_s(one):
    module, names = MODULES[one.slug]
    assert (one.module, list(one.public)) == (module, names.split())


# --- Exercises, concepts, tracker, results ------------------------------------


def test_exercises_are_the_curriculum_s_in_its_order(one):
    wanted = [f"{one.slug}.{thing}" for thing in EXERCISES[one.slug].split()]
    assert list(one.exercises) == wanted


def test_every_exercise_id_is_unique_and_slug_dot_thing():
    ids = [key for one in course().lessons for key in one.exercises]
    assert len(set(ids)) == len(ids)
    for one in course().lessons:
        shape = re.compile(rf"{one.slug}\.[a-z][a-z0-9_]*")
        assert all(shape.fullmatch(key) for key in one.exercises)


def test_concepts_are_the_curriculum_s(one):
    names = CONCEPTS[one.slug].split(" | ")
    assert sorted(concept.name for concept in one.concepts) == sorted(names)


def test_every_concept_has_a_section_and_exercises_of_its_own_lesson(one):
    for concept in one.concepts:
        assert concept.section.strip("# ") == concept.section
        assert concept.exercises and set(concept.exercises) <= set(one.exercises)


def test_every_exercise_drills_a_concept(one):
    drilled = {key for concept in one.concepts for key in concept.exercises}
    assert drilled == set(one.exercises)


def test_concepts_of_lesson_one_point_at_headings_of_its_lecture():
    assert {concept.section for concept in lesson(1).concepts} <= set(LECTURE_ONE)


def test_tracker_is_word_for_word(one):
    wanted = ["Watch video", *TRACKER[one.slug]]
    assert [item.text for item in one.tracker] == wanted


def test_only_implementations_and_completions_tick_themselves(one):
    for item in one.tracker:
        assert bool(item.exercises) != (item.text in TICKED_BY_HAND), item.text
        assert set(item.exercises) <= set(one.exercises)


def test_complete_exercises_needs_every_exercise_of_the_lesson():
    *_, last = lesson("micrograd").tracker
    assert last.text == "Complete exercises"
    assert last.exercises == lesson("micrograd").exercises


def test_tracker_ids_are_unique_and_made_of_the_words():
    ids = [item.id for one in course().lessons for item in one.tracker]
    assert len(set(ids)) == len(ids) == 24
    assert "micrograd.watch_video" in ids
    assert "batchnorm.visualize_activation_gradient_statistics" in ids


def test_every_published_number_has_a_source_and_a_tolerance(one):
    assert one.results
    for result in one.results:
        assert result.id.startswith(f"{one.slug}.") and result.source and result.what
        assert isinstance(result.value, int | float) and result.tolerance >= 0


def test_result_ids_are_unique():
    ids = [result.id for one in course().lessons for result in one.results]
    assert len(set(ids)) == len(ids)


# --- Looking things up --------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["bigram", "2", "02", 2, "02_bigram", "bigram.counts", "bigram.nll"]
)
def test_a_lesson_answers_to_slug_number_name_and_exercise(key):
    assert lesson(key).slug == "bigram"


@pytest.mark.parametrize("key", ["", "9", 0, "02_mlp", "Bigram", "counts"])
def test_an_unknown_lesson_is_answered_with_the_eight_there_are(key):
    with pytest.raises(CourseError) as error:
        lesson(key)
    assert repr(str(key)) in str(error.value)
    assert all(one.slug in str(error.value) for one in course().lessons)


@pytest.mark.parametrize("key", ["bigram.count", "bigram.", "bigram.value"])
def test_an_unknown_exercise_is_answered_with_those_of_the_lesson(key):
    with pytest.raises(CourseError) as error:
        lesson(key)
    assert repr(key) in str(error.value)
    assert ", ".join(lesson("bigram").exercises) in str(error.value)


def test_files_of_a_lesson_lie_under_the_root():
    found = lesson("mlp")
    assert found.lecture_source == REPOSITORY / "notebooks" / "03_mlp.py"
    assert found.solution_source == REPOSITORY / "solutions" / "03_mlp.py"
    assert found.exercise_source == REPOSITORY / "exercises" / "03_mlp.py"
    assert found.lecture == REPOSITORY / "notebooks" / "03_mlp.ipynb"
    assert found.exercise == REPOSITORY / "exercises" / "03_mlp.ipynb"


def test_facts_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        lesson(1).title = "Something else"


# --- The root -----------------------------------------------------------------


def test_root_is_workbook_root_before_anything_else(tmp_path, monkeypatch):
    (tmp_path / "course.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert root() == REPOSITORY


def test_root_is_the_nearest_folder_upwards_with_a_course(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBOOK_ROOT")
    below = tmp_path / "outer" / "inner" / "deep"
    below.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "outer" / "inner"):
        (folder / "course.toml").touch()
    monkeypatch.chdir(below)
    assert root() == tmp_path / "outer" / "inner"


def test_root_is_the_package_s_parent_where_no_folder_has_a_course(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("WORKBOOK_ROOT")
    monkeypatch.chdir(tmp_path)
    assert root() == REPOSITORY


def test_an_empty_workbook_root_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_ROOT", "")
    monkeypatch.chdir(tmp_path)
    assert root() == REPOSITORY


def test_a_course_is_read_once_per_root(write):
    first = course()
    write(SMALL)
    assert course() is course() and course() is not first


# --- What goes wrong, in words ------------------------------------------------


def test_the_smallest_course_needs_five_facts_a_lesson(write):
    folder = write(SMALL)
    assert lesson("toy").minutes == 5
    assert lesson("toy").exercise == folder / "exercises" / "01_toy.ipynb"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title =", "not valid TOML"),
        (SMALL.replace('video = "https://youtu.be/toy"', ""), "lacks its 'video'"),
        (SMALL + 'questoin = "?"', "has no 'questoin'; it may say number, slug"),
        (SMALL + 'papers = ["nope"]', "no paper 'nope'; there are: none."),
        (SMALL + "[[lesson.tracker]]\n", "lacks its 'text'"),
        (SMALL + '[[lesson.concepts]]\nname = "x"', "A concept lacks its"),
    ],
)
def test_a_slip_in_course_toml_is_named_with_its_file(write, text, says):
    folder = write(text)
    with pytest.raises(CourseError) as error:
        course()
    assert str(error.value).startswith(f"{folder / 'course.toml'}: ")
    assert says in str(error.value)


def test_a_root_without_a_course_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_ROOT", str(tmp_path))
    with pytest.raises(CourseError, match="point WORKBOOK_ROOT at it"):
        course()


def test_a_length_that_is_no_length_says_how_to_write_it(write):
    write(SMALL.replace("5m", "five minutes"))
    with pytest.raises(CourseError, match="write '2h 25m' or '56m'"):
        _ = lesson("toy").minutes


# --- Its weight ---------------------------------------------------------------

WEIGH = """
import dataclasses, functools, os, pathlib, re, sys, time, typing, workbook
start = time.process_time()
import workbook.course
print(time.process_time() - start)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def weigh():
    command = [sys.executable, "-c", WEIGH]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    seconds, modules = done.stdout.splitlines()
    return float(seconds), set(modules.split())


def test_importing_takes_less_than_20_ms_and_only_the_standard_library():
    runs = [weigh() for _ in range(5)]
    assert min(seconds for seconds, _ in runs) < 0.020
    ours = runs[0][1] - sys.stdlib_module_names
    assert not {"torch", "jupytext", "IPython", "matplotlib", "numpy"} & ours
    assert "tomllib" not in runs[0][1]
