# Reads and validates the configuration, and holds the functions that the rules are declared with.
import json
import os
import re
import sys
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from reversegen import configuration
from reversegen.enhancement import SOURCES
from reversegen.errors import BadInput
from reversegen.hashing import code_hash
from reversegen.kinds import check_kind, open_kind
from reversegen.stage import prepare_environment

prepare_environment()

try:
    CONFIGURATION = configuration.load(config, Path("config"))
    for name, task in CONFIGURATION.tasks.items():
        check_kind(task, f"config/tasks/{name}.yaml: ")
except BadInput as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    task=configuration.TASK_WILDCARD,
    iteration="0|[1-9][0-9]*",
    chain=r"iter(0|[1-9][0-9]*)|control|baseline",
    version="|".join(["target", *(f"enhanced/{source}" for source in SOURCES)]),
    source="|".join(SOURCES),
    set=r"\w[\w-]*",
    model="|".join(map(re.escape, CONFIGURATION.models)),


def task_of(wildcards):
    """The configuration of a task, with the random seed that its name gives."""
    return CONFIGURATION.task(wildcards.task)


def setting(path):
    """A key of the task, such as "prompts.header", as a function of the wildcards; a section is given as JSON."""

    def read(wildcards):
        value = task_of(wildcards)
        for key in path.split("."):
            value = getattr(value, key)
        return value.model_dump_json() if isinstance(value, configuration.Section) else value

    return read


def kind_use(wildcards):
    """What a stage must know of the task's kind, as JSON."""
    return task_of(wildcards).kind_use.model_dump_json()


def kind_of(wildcards):
    return open_kind(task_of(wildcards).kind_use)


def made(path):
    """A file of the task, or of the task whose part it reuses; wildcards in the path are filled in."""
    return lambda wildcards: CONFIGURATION.place(wildcards.task, path.format(**dict(wildcards.items())))


def code(script):
    """A hash of the code of a stage, with the module of the task's own kind alone."""
    return lambda wildcards: code_hash(script, task_of(wildcards).kind if "task" in wildcards.keys() else None)


def stage(environment, script):
    """The start of a shell command that runs a script in an environment."""
    path = os.path.relpath(Path(workflow.basedir) / "scripts" / f"{script}.py")
    return f"{CONFIGURATION.workflow.python[environment]} {path}"


def model_name(role):
    """The name of the model that plays a role in the task; in a transfer the wildcard names it. None for no judge."""

    def read(wildcards):
        if role == "transfer":
            return wildcards.model
        if role == "judge":
            judge = task_of(wildcards).judge
            return judge.model if judge else None
        return setting(role)(wildcards)

    return read


def model_of(role):
    """The configured model that plays a role in the task; None for no judge and for a labeller that is a solver."""
    return lambda wildcards: CONFIGURATION.models.get(model_name(role)(wildcards))


def model_use(role):
    """How the model of a role is loaded or reached, as JSON."""

    def read(wildcards):
        model = model_of(role)(wildcards)
        return model.use.model_dump_json() if model else "null"

    return read


def model_folder(role):
    """The folder of the model of a role, made or fetched by a rule where it is not the user's own; none for an endpoint."""

    def find(wildcards):
        model = model_of(role)(wildcards)
        name = model_name(role)(wildcards)
        if model is None or model.endpoint:
            return []
        if model.folder:
            return [str(model.folder)]
        place = "results/models" if model.train else "resources/downloads/models"
        return [f"{place}/{name}"]

    return find


def trainable_target(wildcards):
    """The folder of the target; an endpoint cannot be repaired."""
    folder = model_folder("target")(wildcards)
    if not folder:
        raise BadInput(
            f"task {wildcards.task}: target: an endpoint cannot be fine-tuned; only its failures can be found"
        )
    return folder


def asks(resource, role):
    """What a job of the model of a role asks for: a key of its size in the configuration; GPUs as gpu or as gres."""

    def read(wildcards):
        model = model_of(role)(wildcards)
        size, gres = CONFIGURATION.workflow.sizes[model.size if model else "tiny"], CONFIGURATION.workflow.gres
        if resource == "gres":
            return f"{gres}:{size.gpu}" if gres and size.gpu else None
        return 0 if resource == "gpu" and gres else getattr(size, resource)

    return read


def tiny_model(key):
    """A key of a tiny model's configuration, as JSON where it is a section."""

    def read(wildcards):
        tiny = CONFIGURATION.models[wildcards.model].train
        value = getattr(tiny, key) if key else tiny
        return value.model_dump_json() if isinstance(value, configuration.Section) else value

    return read


def model_repo(wildcards):
    return CONFIGURATION.models[wildcards.model].hub


def model_revision(wildcards):
    """The commit that is locked; empty where there is none, which fetch_model refuses when it starts."""
    return CONFIGURATION.lock.get(model_repo(wildcards), "")


def data_sources(kind):
    """All sources of one kind, "hub" or "url", that tasks name, by the name of their file in resources/downloads."""
    sources = {}
    for task in CONFIGURATION.tasks.values():
        for source in [*task.data.seeds.values(), *task.data.tests.values(), task.data.judge]:
            if found := source and getattr(source, kind):
                sources[found.file_name] = found
    return sources


def data_source(wildcards):
    return data_sources("hub")[wildcards.data].model_dump_json()


def data_revision(wildcards):
    return CONFIGURATION.lock.get(data_sources("hub")[wildcards.data].repo, "")


def url_source(wildcards):
    return data_sources("url")[wildcards.file].model_dump_json()


def data_file(source):
    """The file of a data source: the user's, or the one that a rule fetches; none for a corpus."""
    if source.corpus:
        return []
    if source.url:
        return [f"resources/downloads/files/{source.url.file_name}"]
    return [str(source.file) if source.file else f"resources/downloads/data/{source.hub.file_name}.jsonl"]


def seed_files(wildcards):
    return [file for source in task_of(wildcards).data.seeds.values() for file in data_file(source)]


def seed_sources(wildcards):
    sources = task_of(wildcards).data.seeds
    return json.dumps({name: source.model_dump(mode="json") for name, source in sources.items()})


def test_file(wildcards):
    return data_file(test_source(wildcards))


def test_source(wildcards):
    tests = task_of(wildcards).data.tests
    if wildcards.set not in tests:
        raise BadInput(f"task {wildcards.task} has no test set {wildcards.set!r}; it has {', '.join(tests)}")
    return tests[wildcards.set]


def test_source_json(wildcards):
    return test_source(wildcards).model_dump_json()


def test_questions(wildcards):
    return [made(f"tests/{name}.jsonl")(wildcards) for name in task_of(wildcards).data.tests]


def judge_source(wildcards):
    """The labelled set that the judge is checked on: the task's, or the one that ships for its kind."""
    task = task_of(wildcards)
    shipped = Path(workflow.basedir) / f"resources/judge/{task.kind}.jsonl"
    return task.data.judge or configuration.DataSource(file=os.path.relpath(shipped), licence="Apache-2.0")


def judge_file(wildcards):
    return data_file(judge_source(wildcards))


def judge_source_json(wildcards):
    return judge_source(wildcards).model_dump_json()


def where(condition, file):
    """An input that only some tasks have: a file, where `condition` holds of the wildcards; else none."""
    return lambda wildcards: [file(wildcards)] if condition(wildcards) else []


def probed(wildcards):
    return task_of(wildcards).data.probe


def iterated(wildcards):
    return wildcards.chain != "baseline"


def judged(wildcards):
    return kind_of(wildcards).needs_judge


def referenced(wildcards):
    return kind_of(wildcards).needs_references


def multiple_choice(wildcards):
    return kind_of(wildcards).choice is not None


def judge_setting(wildcards):
    judge = task_of(wildcards).judge
    return judge.model_dump_json() if judge else "null"


def chain_proposer(wildcards):
    """Proposer k writes in iter{k}; the control is proposer 0's, the baseline the untrained base model's."""
    if wildcards.chain == "baseline":
        return model_folder("proposer")(wildcards)[0]
    return made("iter0/proposer" if wildcards.chain == "control" else "{chain}/proposer")(wildcards)


def of_previous(file):
    """A file of the iteration before this one."""
    return lambda wildcards: made(f"iter{int(wildcards.iteration) - 1}/{file}")(wildcards)


def previous_leaks(wildcards):
    """The gate that the pairs of the iteration before this one passed."""
    return f"results/{wildcards.task}/leaks/iter{int(wildcards.iteration) - 1}.json"


def following_proposer(wildcards):
    return f"results/{wildcards.task}/iter{int(wildcards.iteration) + 1}/proposer"


def pruned_before(wildcards):
    """Marks that the weights of earlier proposers are gone, where the task does not keep them."""
    keep = task_of(wildcards).keep
    if keep is None or wildcards.chain == "baseline":
        return []
    return [f"results/{wildcards.task}/iter{k}/pruned.json" for k in range(iteration_of(wildcards)) if k not in keep]


def training_pairs(wildcards):
    """The pairs that trained this proposer: none for proposer 0 and the baseline."""
    if wildcards.chain in ("iter0", "baseline"):
        return []
    return [made(f"iter{iteration_of(wildcards) - 1}/pairs.jsonl")(wildcards)]


def iteration_of(wildcards):
    return int(wildcards.chain.removeprefix("iter"))


def reference_proposer(wildcards):
    """What DPO is held to: proposer k by default, proposer 0 by configuration."""
    if task_of(wildcards).preference.reference == "warmup":
        return made("iter0/proposer")(wildcards)
    return of_previous("proposer")(wildcards)


def up_to_now(file):
    """A file of iterations 0 to this one."""
    return lambda wildcards: [made(f"iter{k}/{file}")(wildcards) for k in range(int(wildcards.iteration) + 1)]


def before_now(file):
    """A file of the iterations before this one; of none for the baseline."""

    def find(wildcards):
        count = 0 if wildcards.chain == "baseline" else iteration_of(wildcards)
        return [made(f"iter{k}/{file}")(wildcards) for k in range(count)]

    return find


def of_trained(file):
    """A file of iterations 1 to N."""
    return lambda wildcards: [made(f"iter{k}/{file}")(wildcards) for k in range(1, task_of(wildcards).iterations + 1)]


def of_warmup(file):
    """A file of everything that proposer 0 wrote: iteration 0 and the control."""
    return lambda wildcards: [made(f"{chain}/{file}")(wildcards) for chain in ("iter0", "control")]


def of_warmup_and_trained(file):
    return lambda wildcards: [*of_warmup(file)(wildcards), *of_trained(file)(wildcards)]


def judged_references(wildcards):
    return of_warmup_and_trained("reference_judgements.jsonl")(wildcards) if judged(wildcards) else []


def last_iteration(file):
    return lambda wildcards: made(f"iter{task_of(wildcards).iterations}/{file}")(wildcards)


def version_folder(wildcards):
    """The model of a version of the target: the untouched one, or one that a source repaired."""
    if wildcards.version == "target":
        return model_folder("target")(wildcards)
    return [f"results/{wildcards.task}/{wildcards.version}/target"]


def version_source(wildcards):
    return "baseline" if wildcards.version == "target" else wildcards.version.removeprefix("enhanced/")


def version_selection(wildcards):
    return [] if wildcards.version == "target" else [f"results/{wildcards.task}/enhanced/selection.json"]


def configuration_hash(wildcards):
    """SHA-256 of the task's whole configuration, random seed included."""
    digest = sha256(task_of(wildcards).model_dump_json().encode()).hexdigest()
    return f"sha256:{digest}"


def replicates(file):
    """A file of the task for every random seed that a table pools; of one run alone where the name gives its seed."""

    def find(wildcards):
        base, _, seed = wildcards.task.partition(".s")
        seeds = [None] if seed else CONFIGURATION.workflow.random_seeds
        names = [wildcards.task if n is None else base if n == 0 else f"{base}.s{n}" for n in seeds]
        return [CONFIGURATION.place(name, path) for name in names for path in file(wildcards)]

    return find


def reused_tasks(wildcards):
    """The tasks whose files this one may show as its own."""
    names, task = [], task_of(wildcards)
    while task.reuse:
        names.append(task.extends)
        task = CONFIGURATION.tasks[task.extends]
    return names


def proposer_evals(wildcards):
    iterations = [f"iter{k}/eval.json" for k in range(task_of(wildcards).iterations + 1)]
    return ["baseline/eval.json", *iterations]


def target_evals(wildcards):
    transfers = [f"transfer/{model}/eval.json" for model in task_of(wildcards).transfer]
    repaired = [f"enhanced/{source}/eval.json" for source in SOURCES]
    return ["target/eval.json", *(repaired if not model_of("target")(wildcards).endpoint else []), *transfers]
