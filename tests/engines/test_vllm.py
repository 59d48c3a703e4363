"""vLLM's greedy text is transformers', its draws follow the model's own logits, and it fails with its own message."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
import torch
from peft import LoraConfig, get_peft_model
from tests.support.models import TEXTS, greedy, write_folder
from tests.support.vllm_jobs import SMALL, USE, ask, run
from tests.support.workflows import REPOSITORY, new_workflow
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from reversegen.config.models import ModelUse, Thinking, Vllm
from reversegen.core.records import Label, Message, Question, read_records, write_records
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.transformers import TransformersEngine
from reversegen.judges import JUDGES
from reversegen.training.pretraining import build_tokenizer

ASKED = [Request(text=f"{text} {n}") for n in range(20) for text in TEXTS]
CHAT = [Request(messages=[Message(role="user", content=r.text)]) for r in ASKED[:9] if r.text]


def heads_of_32(**more: Any) -> LlamaForCausalLM:
    """A random Llama with heads as large as vLLM's attention on the CPU requires."""
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(**shape | {"initializer_range": 0.3} | more)).eval()


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    """Its texts also end at a word of its own, so that some texts end within the limit."""
    tokens = {
        "vocab_size": len(build_tokenizer("arithmetic")),
        "eos_token_id": 1,
        "pad_token_id": 0,
        "bos_token_id": None,
    }
    model = heads_of_32(**tokens)
    counts = Counter(token for text in TEXTS for token in greedy(model, text, 12))
    ends = [1, *(token for token, _ in counts.most_common()[-3:])]
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=0)
    return model


@pytest.fixture(scope="module")
def folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "random", model)


DRAWS = 3000
CROWD = [Request(text=f"{n} plus {TEXTS[2] * 8}") for n in range(60)]  # more tokens than fit into one step
WARM = {"max_new_tokens": 8, "temperature": 1.0, "top_p": 0.9}
OPTIONS = [["23", "24", "20 plus 3"]] * len(CHAT)


@pytest.fixture(scope="module")
def answers(vllm_python: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Starts vLLM once for everything that the tests ask it."""
    too_long = [Request(text="20 + 3 " * 60), ASKED[0]]
    calls = [
        [{"max_new_tokens": 12}, ASKED, 1, 0],
        [{"max_new_tokens": 12}, CHAT, 1, 0],
        [WARM, ASKED[:3], 5, 7],
        *([WARM, ASKED[:3], 5, 8 + n] for n in range(9)),
        [WARM, ASKED[:6], 5, 7],
        [{"max_new_tokens": 1, "temperature": 1.6}, ASKED[:1], DRAWS, 1],
        [{"max_new_tokens": 12}, too_long, 1, 0],
        [WARM, CROWD, 5, 3],
    ]
    asked = {"generate": calls, "choose": [CHAT, OPTIONS]}
    return ask(vllm_python, folder, tmp_path_factory.mktemp("vllm") / "answers.json", asked)


def test_greedy_answers_are_those_of_transformers_to_the_last_token(answers: Any, folder: Path) -> None:
    engine = TransformersEngine(folder, ModelUse(dtype="float32"), Decoding(12), 1)
    for asked, said in zip((ASKED, CHAT), answers["generate"][:2], strict=True):
        expected = engine.generate(asked, 1, 0)
        assert [[Generated(*one) for one in several] for several in said] == expected
        assert {one.finished for several in expected for one in several} == {True, False}


def test_the_draw_of_a_seed_does_not_depend_on_other_requests_under_way(answers: Any) -> None:
    drawn = answers["generate"][2:12]
    assert answers["generate"][12][:3] == drawn[0]
    texts = [one[0] for call in drawn for several in call for one in several]
    assert len(set(texts)) > 0.9 * len(texts)  # neighbouring seeds do not give overlapping draws


def test_prompts_that_fill_more_than_one_step_are_all_continued(answers: Any) -> None:
    drawn = answers["generate"][15]
    assert [len(several) for several in drawn] == [5] * len(CROWD)
    assert all(tokens for several in drawn for _, tokens, *_ in several)


def test_draws_follow_the_models_own_distribution(answers: Any, model: LlamaForCausalLM) -> None:
    tokenizer = build_tokenizer("arithmetic")
    with torch.inference_mode():
        logits = model(torch.tensor([tokenizer(ASKED[0].text)["input_ids"]])).logits[0, -1]
    shares = torch.softmax(logits.double() / 1.6, 0).tolist()
    ends = set(model.generation_config.eos_token_id)
    expected: Counter[str] = Counter()
    for token, one in enumerate(shares):
        expected["" if token in ends else tokenizer.decode([token], skip_special_tokens=True)] += one * DRAWS
    seen = Counter(text for text, *_ in answers["generate"][13][0])
    common = [word for word in expected if expected[word] >= 5]
    observed, wanted = [seen[word] for word in common], [expected[word] for word in common]
    assert len(common) > 50
    rest = [DRAWS - sum(observed)], [DRAWS - sum(wanted)]
    assert scipy.stats.chisquare(observed + rest[0], wanted + rest[1]).pvalue > 0.001


def test_a_prompt_that_does_not_fit_has_no_answer_and_stops_no_other(answers: Any) -> None:
    [[none], [answer]] = answers["generate"][14]
    assert none == ["", 0, False, "prompt too long"]
    assert answer == answers["generate"][0][0][0]


def test_options_have_the_probabilities_that_transformers_gives(answers: Any, folder: Path) -> None:
    engine = TransformersEngine(folder, ModelUse(dtype="float32"), Decoding(4), 1)
    for given, expected in zip(answers["choose"], engine.choose(CHAT, OPTIONS), strict=True):
        assert given == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("thinking", [Thinking(enabled=True, max_tokens=6), Thinking(enabled=False), None])
def test_thoughts_and_faults_of_one_item_are_those_of_transformers(
    vllm_python: str, folder: Path, tmp_path: Path, thinking: Thinking | None
) -> None:
    template = (
        "{% if 'pens' in messages[0].content %}{{ raise_exception('no pens') }}{% endif %}"
        "{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content }} A:{% else %} {{ m.content }}<eos>{% endif %}"
        "{% endfor %}{% if add_generation_prompt %} <think>\n{% endif %}"
    )
    use = USE.model_copy(update={"chat_template": template, "thinking": thinking})
    texts = [*TEXTS, "20 + 3 " * 1000, "3 + 20"]  # one is about pens, one fits into neither engine
    requests = [Request(messages=[Message(role="user", content=text)]) for text in texts]
    asked: dict[str, Any] = {"generate": [[{"max_new_tokens": 8}, requests, 1, 0]]}
    if thinking and not thinking.enabled:
        asked["choose"] = [requests, [["23", "24", "20 plus 3"]] * len(requests)]
    answered = ask(vllm_python, folder, tmp_path / "answers.json", asked, use)
    engine = TransformersEngine(folder, use, Decoding(8), 1)
    assert [[Generated(*one) for one in several] for several in answered["generate"][0]] == engine.generate(
        requests, 1, 0
    )
    chosen = engine.choose(*asked["choose"]) if "choose" in asked else []
    for shares, expected in zip(answered.get("choose", []), chosen, strict=True):
        assert shares == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-3))


def test_an_adapter_is_served_over_its_base_without_being_merged(
    vllm_python: str, model: LlamaForCausalLM, folder: Path, tmp_path: Path
) -> None:
    config = LoraConfig(r=6, lora_alpha=48, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    torch.manual_seed(0)
    adapter = get_peft_model(LlamaForCausalLM.from_pretrained(folder), config)
    adapter.save_pretrained(tmp_path / "adapter")
    build_tokenizer("arithmetic").save_pretrained(tmp_path / "adapter")
    merged = write_folder(tmp_path / "merged", adapter.merge_and_unload())
    asked = {"generate": [[{"max_new_tokens": 12}, ASKED, 1, 0]]}
    [said] = ask(vllm_python, tmp_path / "adapter", tmp_path / "answers.json", asked)["generate"]
    whole, alone, base = (
        TransformersEngine(place, ModelUse(dtype="float32"), Decoding(12), 1).generate(ASKED, 1, 0)
        for place in (merged, tmp_path / "adapter", folder)
    )
    assert [[Generated(*one) for one in several] for several in said] == alone == whole
    assert whole != base


def write_speaker(folder: Path) -> Path:
    """A random model that writes bytes. Without a pattern for its replies, none of them is readable."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: n for n, token in enumerate(["<eos>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    fast.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    fast.save_pretrained(folder)
    heads_of_32(vocab_size=len(vocabulary), eos_token_id=0, bos_token_id=None).save_pretrained(folder)
    return folder


def test_the_replies_of_a_judge_follow_its_pattern(vllm_python: str, tmp_path: Path) -> None:
    folder = write_speaker(tmp_path / "model")
    turns = [Message(role="user", content="Is it safe?")]
    decoding = {"max_new_tokens": 90, "temperature": 1.0}
    free = Request(messages=turns)
    judges = {name: judge for name, judge in JUDGES.items() if judge.pattern}  # the others write freely
    with_pattern = [dataclasses.replace(free, pattern=judge.pattern) for judge in judges.values()]
    calls = [[decoding, [free] * len(with_pattern), 4, 0], [decoding, with_pattern, 4, 0]]
    freely, in_form = ask(vllm_python, folder, tmp_path / "answers.json", {"generate": calls})["generate"]
    for name, judge, said, replies in zip(judges, judges.values(), freely, in_form, strict=True):
        assert {judge.read(text).verdict for text, *_ in said} == {"invalid"}, name
        assert all(finished for _, _, finished, _ in replies), name
        assert all(re.fullmatch(str(judge.pattern), text) for text, *_ in replies), name
        assert {judge.read(text).verdict for text, *_ in replies} <= {"failed", "passed"}, name


def test_an_engine_without_the_memory_it_needs_ends_the_job_with_its_own_message(
    vllm_python: str, folder: Path, tmp_path: Path
) -> None:
    question = Question(id="1", text="20 + 3", answer="23", group=None, measure="accuracy")
    write_records(tmp_path / "tests.jsonl", [question])
    use = USE.model_copy(update={"vllm": SMALL.model_copy(update={"kv_cache_memory_bytes": 2**14})})
    settings = {"system": None, "max_new_tokens": 4, "batch_size": 1}
    words = {
        "questions": tmp_path / "tests.jsonl",
        "record": "tests",
        "target": folder,
        "responses": tmp_path / "responses.jsonl",
    }
    words |= {"kind": '{"name": "math"}', "model": use.model_dump_json(), "settings": json.dumps(settings)}
    words |= {
        "endpoint-limits": "null",
        "arm": "null",
        "random-seed": 0,
        "shard": "1-of-1",
        "threads": 1,
        "log": tmp_path / "log",
    }
    flags = [str(word) for name, value in words.items() for word in (f"--{name}", value)]
    done = run(vllm_python, [str(REPOSITORY / "scripts/answer_questions.py"), *flags])
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"answer_questions: error: {folder}: vllm: ValueError: No available memory for the cache")
    assert not (tmp_path / "responses.jsonl").exists()


def test_any_argument_of_vllm_is_taken_and_an_unknown_one_is_named(
    vllm_python: str, folder: Path, tmp_path: Path, answers: Any
) -> None:
    """`max_num_seqs` changes no greedy answer. A misspelt name ends the job with one line that has it, and a close one."""
    few = USE.model_copy(update={"vllm": Vllm.model_validate(SMALL.model_dump() | {"max_num_seqs": 2})})
    asked = {"generate": [[{"max_new_tokens": 12}, ASKED[:9], 1, 0]]}
    assert ask(vllm_python, folder, tmp_path / "few.json", asked, few)["generate"][0] == answers["generate"][0][:9]
    misspelt = USE.model_copy(update={"vllm": Vllm.model_validate(SMALL.model_dump() | {"max_num_seq": 2})})
    with pytest.raises(AssertionError) as refused:
        ask(vllm_python, folder, tmp_path / "none.json", asked, misspelt)
    text = re.sub(r"\\n|\n", " ", str(refused.value))
    assert f"BadInput: {folder}: vllm.max_num_seq: vLLM " in text
    assert "has no argument of this name; use one of its own, such as max_num_seqs; correct the model's entry" in text


@pytest.mark.models
def test_the_loop_runs_with_vllm_in_an_interpreter_of_its_own(vllm_python: str, tmp_path: Path) -> None:
    workflow = new_workflow(tmp_path / "run")
    workflow.write_task("micro-vllm", {"proposer": "tiny-arithmetic-vllm", "target": "tiny-arithmetic-vllm"}, "micro")
    workflow.change_models({"tiny-arithmetic-vllm": {"train": {"pretraining": {"steps": 400}}}})
    environment = f"python={{generate: {vllm_python}}}"
    done = workflow.run("results/micro-vllm/iter1/labels.jsonl", "--config", environment)
    assert done.returncode == 0, done.stdout
    results = workflow.folder / "results/micro-vllm"
    log = (results / "logs/iter1/answer_instructions.log").read_text()
    assert "Initializing a V1 LLM engine" in log
    assert len(read_records(results / "iter1/labels.jsonl", Label)) > 20
