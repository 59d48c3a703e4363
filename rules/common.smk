# Reads and validates the configuration, and holds the functions that the rules are declared with.
import atexit
import functools
import gc
import json
import os
import re
import shlex
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import snakemake.common
import snakemake.dag
import snakemake.jobs
import snakemake.output_index
import snakemake.rules
from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from reversegen.config import load as configuration
from reversegen.loop.enhancement import SOURCES
from reversegen.core.errors import BadInput
from reversegen.workflow.code_hash import code_hash, shell_commands
from reversegen.workflow.used_entries import entries_of_model, entries_of_tasks
from reversegen.ids import content_id
from reversegen import kinds
from reversegen.core.shards import WHOLE
from reversegen.stage import BUDGETED, prepare_environment

# a logger plugin, such as `--logger rich`, draws the terminal itself
prepare_environment(draws=bool(workflow.output_settings.log_handler_settings))

try:
    CONFIGURATION = configuration.load(config, Path("config"), kinds.check_kind)
except BadInput as error:
    raise WorkflowError(str(error)) from None

if CONFIGURATION.faults and workflow.is_main_process:  # each job reads the files again, and need not repeat it
    logger.warning(
        "Warning: faults in config/, which stop what needs them and nothing else:\n  "
        + "\n  ".join(CONFIGURATION.faults.values())
    )

if any(any(dict(task.budget).values()) for task in CONFIGURATION.tasks.values()):
    os.environ[BUDGETED] = json.dumps(config)  # jobs look at their budget when they start, on any machine


# A stage's params hold a hash of its code, without comments. Snakemake compares the time of a script's file too, which a
# checkout changes: models would be trained again for nothing.
snakemake.jobs.get_script_mtime = lambda path: 0.0


# One process for each task, of its own number of shards; --set-scatter TASK=N sets another.
scattergather:
    **{name: task.shards for name, task in CONFIGURATION.tasks.items()},


WITHOUT = {"training": {"launcher"}, "max_invalid_share": True, "max_unreadable_share": True}
TABLES = list(configuration.Tables.model_fields)


wildcard_constraints:
    task=configuration.TASK_WILDCARD,
    shard=r"(\.[0-9]+-of-[0-9]+)?",
    iteration="0|[1-9][0-9]*",
    arm=r"iter(0|[1-9][0-9]*)|control|untrained",
    variant="|".join(["original", *(f"enhanced/{source}" for source in SOURCES)]),
    source="|".join(SOURCES),
    set=r"\w[\w-]*",
    artefact=r"dataset|iter(0|[1-9][0-9]*)/proposer|enhanced/\w+/target",
    model="|".join(map(re.escape, CONFIGURATION.models)),
    table="|".join(TABLES),


def task_of(wildcards):
    """The configuration of a task, with the random seed that its name gives."""
    return task_named(wildcards.task)


@functools.cache
def task_named(name):
    """The same by name; every job of a plan asks many times."""
    return CONFIGURATION.task(name)


def setting(path):
    """A key of the task, such as "prompts.header", as a function of the wildcards; a section is given as JSON.

    Without what decides no output: a training's launcher, and how many answers may be missing or unreadable.
    """

    def read(wildcards):
        value = task_of(wildcards)
        for key in path.split("."):
            value = getattr(value, key)
        return value.model_dump_json(exclude=WITHOUT) if isinstance(value, configuration.Section) else value

    return read


def whole_setting(path):
    """A section of the task as JSON, also with what decides no output; the rule compares `setting(path)` beside it.

    A change reruns nothing: Snakemake compares no param of a function that takes `threads`.
    """
    return lambda wildcards, threads: getattr(task_of(wildcards), path).model_dump_json()


def kind_use(wildcards):
    """What a stage must know of the task's kind, as JSON."""
    return kinds.kind_use(task_of(wildcards)).model_dump_json()


def kind_of(wildcards):
    return kinds.open_kind(kinds.kind_use(task_of(wildcards)))


def made(path):
    """A file of the task, or of the task whose part it reuses; wildcards in the path are filled in."""
    return lambda wildcards: CONFIGURATION.place(wildcards.task, path.format(**dict(wildcards.items())))


COMMANDS = shell_commands(Path(workflow.basedir) / "rules")


def code(script):
    """A hash of the code of a stage, of its shell command, and of the entries of the façades that the job uses."""

    def read(wildcards):
        return code_hash(script, COMMANDS.get(script, ""), used_entries(wildcards.get("task"), wildcards.get("model")))

    return read


@functools.cache
def used_entries(task, model):
    """The entries that a job uses: those of its task or model, or else those of all tasks."""
    if model and not task:
        return entries_of_model(CONFIGURATION.models[model])
    tasks = [CONFIGURATION.task(task)] if task else CONFIGURATION.tasks.values()
    return entries_of_tasks(tasks, CONFIGURATION.models)


def command(environment, script):
    """The start of a shell command that runs a script in an environment."""
    path = os.path.relpath(Path(workflow.basedir) / "scripts" / f"{script}.py")
    return f"{shlex.quote(CONFIGURATION.workflow.python[environment])} {path}"


def stage(environment, script):
    """The same as a param, without reruns for another interpreter: Snakemake compares none of a function that takes `threads`."""
    start = command(environment, script)
    return lambda wildcards, threads: start


def launcher_of(part, wildcards):
    """What starts the training of a part of the task on several GPUs; None for one process."""
    return getattr(task_of(wildcards), part).training.launcher


def training_stage(script, part):
    """The start of a shell command that trains: by `accelerate launch` where the part of the task has a launcher."""

    def read(wildcards, threads):
        start = command("train", script)
        if launcher := launcher_of(part, wildcards):
            python, _, path = start.rpartition(" ")
            # port 0: a free one, since two trainings may share a machine
            flags = f"--config_file config/accelerate/{launcher.config}.yaml --num_processes {launcher.processes}"
            start = f"{python} -m accelerate.commands.launch {flags} --main_process_port 0 {path}"
        return start

    return read


def shard_of(wildcards):
    """The shard of a file such as samples.2-of-8.jsonl; a file without one is whole."""
    return wildcards.shard.removeprefix(".") or WHOLE


def shards(wildcards):
    """The files that a file is gathered from, in order."""
    gathered = getattr(gather, wildcards.task.partition(".s")[0])
    return gathered(f"results/{wildcards.task}/{wildcards.stem}.{{scatteritem}}.jsonl")


def model_name(role):
    """The name of the model that plays a role in the task; in a transfer the wildcard names it. None for a role without one."""

    def read(wildcards):
        if role == "transfer":
            return wildcards.model
        if role == "judge":
            judge = task_of(wildcards).judge
            return judge.model if judge else None
        if role == "embedding":
            embedding = task_of(wildcards).embedding
            return embedding.model if embedding else None
        return setting(role)(wildcards)

    return read


def model_of(role):
    """The configured model that plays a role in the task; None for a role without one and for a teacher that is a solver."""
    return lambda wildcards: CONFIGURATION.models.get(model_name(role)(wildcards))


def model_use(role):
    """How the model of a role is loaded or reached, as JSON."""

    def read(wildcards):
        model = model_of(role)(wildcards)
        return model.use.model_dump_json() if model else "null"

    return read


def endpoint_limits(role):
    """How hard the endpoint of a role is asked, as JSON; null for other models.

    A change reruns nothing: Snakemake compares no param of a function that takes `threads`.
    """

    def read(wildcards, threads):
        model = model_of(role)(wildcards)
        return (model.limits or configuration.Limits()).model_dump_json() if model and model.endpoint else "null"

    return read


def trained_model(role):
    """How the model of a role is loaded for training, as JSON."""
    return lambda wildcards: model_of(role)(wildcards).trained.model_dump_json()


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
    """The folder of the target; an endpoint cannot be enhanced."""
    folder = model_folder("target")(wildcards)
    if not folder:
        raise BadInput(
            f"task {wildcards.task}: target: an endpoint cannot be fine-tuned; only its failures can be found"
        )
    return folder


def asks(resource, role, training=None):
    """What a job of the model of a role asks for: a key of its size in the configuration; GPUs as gpu or as gres.

    Each process of a training asks for as much: `training` is the part of the task that may have a launcher. Raises BadInput
    for more GPUs than `--resources` lets jobs have, which Snakemake would cut down in silence.
    """

    def read(wildcards):
        model = model_of(role)(wildcards)
        size, gres = CONFIGURATION.workflow.sizes[model.size if model else "tiny"], CONFIGURATION.workflow.gres
        launcher = launcher_of(training, wildcards) if training and resource != "runtime" else None
        processes = launcher.processes if launcher else 1
        if resource == "gres":
            return f"{gres}:{size.gpu * processes}" if gres and size.gpu else None
        amount = 0 if resource == "gpu" and gres else getattr(size, resource) * processes
        most = workflow.global_resources.get("gpu").value if resource == "gpu" else None
        if most is not None and amount > most:
            raise BadInput(
                f"task {wildcards.task}: a job of its {role} asks for {amount} GPUs, and `--resources gpu={most}` has fewer: "
                "raise that, or lower `gpu` of its size in config/config.yaml or `launcher.processes` in the task"
            )
        return amount

    return read


def asks_gpus(role, training=None):
    """How many GPUs such a job takes, also where it asks for them as gres. A change reruns nothing: see `endpoint_limits`."""
    gpu, gres = asks("gpu", role, training), asks("gres", role, training)
    return lambda wildcards, threads: gpu(wildcards) or int((gres(wildcards) or ":0").rpartition(":")[2])


def with_next(group):
    """The group of a light stage that may be cut into shards, which run side by side and so are jobs of their own."""

    def name(wildcards):
        return None if task_of(wildcards).shards > 1 else group.format(**dict(wildcards.items()))

    return name


def gathered_with(wildcards):
    """Labels are gathered in the job of what reads them first; everything else is read by a model's job."""
    folder, _, file = wildcards.stem.rpartition("/")
    return f"{wildcards.task}.{folder}" if file == "labels" else None


def tiny_model(key):
    """A key of a tiny model's configuration, as JSON where it is a section."""

    def read(wildcards):
        tiny = CONFIGURATION.models[wildcards.model].train
        value = getattr(tiny, key) if key else tiny
        return value.model_dump_json() if isinstance(value, configuration.Section) else value

    return read


def hub_models():
    return sorted({model.hub for model in CONFIGURATION.models.values() if model.hub})


def hub_data():
    return sorted({source.repo for source in data_sources("hub").values()})


def check_access():
    """Ask the hub, before the first job, for everything that the plan is to fetch from it; list all that cannot be had."""
    planned = [(job.rule.name, job.wildcards) for job in workflow.dag.needrun_jobs()]
    models, pickled = (
        {model_repo(w): model_revision(w) for rule, w in planned if rule == name}
        for name in ("fetch_model", "fetch_bin")
    )
    data = {data_sources("hub")[w.data].repo: data_revision(w) for rule, w in planned if rule == "fetch_data"}
    if not (models or pickled or data):
        return
    words = shlex.split(command("base", "check_access"))
    for name, repos in {"models": models, "pickled": pickled, "data": data}.items():
        words += [f"--{name}", json.dumps(repos)]
    done = subprocess.run(words, env=os.environ | {"HF_HUB_OFFLINE": "0"}, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise WorkflowError(done.stderr.rpartition("check_access: error: ")[2])


def check_models():
    """Render, before the first job, a conversation of each role that the plan asks, by the tokenizers that are here.

    What cannot be looked at, such as a model that is not fetched yet, is found when its stage starts.
    """
    from reversegen.operations.doctor import STAGES  # no job needs it

    asked, tasks = {}, {}
    for job in workflow.dag.needrun_jobs():
        role = "transfer" if job.rule.name == "answer_transfer" else STAGES.get(job.rule.name)
        model = role and model_of(role)(job.wildcards)
        if not model or model.endpoint or model.train:  # a tiny model is made with a template of ours
            continue
        [folder] = model_folder(role)(job.wildcards)
        if Path(folder, "config.json").is_file():
            task, name = job.wildcards.task.partition(".s")[0], model_name(role)(job.wildcards)
            tasks[task] = CONFIGURATION.tasks[task]
            asked[task, role, name] = {"task": task, "role": role, "model": name, "folder": folder}
    if not asked:
        return
    alone = CONFIGURATION.model_copy(update={"tasks": tasks, "faults": {}}).model_dump(mode="json")
    models = json.dumps({"configuration": alone, "models": list(asked.values())})
    words = [*shlex.split(command("generate", "check_models")), "--models", models]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        logger.warning(f"No conversation was rendered before the start: {done.stderr.strip().rpartition(chr(10))[2]}")
    elif faults := {fault: f"{task}, {role}" for task, role, fault in map(json.loads, done.stdout.splitlines())}:
        raise WorkflowError("\n".join(f"{place}: {fault}" for fault, place in faults.items()))


def readers(wildcards):
    """The roles of the task that may read a system text, with their models, as JSON."""
    from reversegen.workflow import model_check  # few jobs need it

    folders = {role: model_folder(role)(wildcards) for role in ("target", "judge")}
    folders |= {"teacher": iterated_teacher(wildcards)} if referenced(wildcards) else {}
    first = {role: next(iter(found), None) for role, found in folders.items()}
    return model_check.readers(task_of(wildcards), CONFIGURATION.models, first).model_dump_json()


def iterated_teacher(wildcards):
    """The teacher's folder, if iterations ask it: one that answers for enhancement alone is not fetched to evaluate a proposer."""
    return model_folder("teacher")(wildcards) if referenced(wildcards) else []


def fetched_models(wildcards):
    """The folders of a task's models that a rule fetches."""
    task = task_of(wildcards)
    others = [part.model for part in (task.judge, task.embedding) if part]
    names = [task.proposer, task.target, task.teacher, *others, *task.transfer]
    return [
        f"resources/downloads/models/{n}"
        for n in dict.fromkeys(names)
        if n in CONFIGURATION.models and CONFIGURATION.models[n].hub
    ]


def fetched_data(wildcards):
    """The files of a task's data sources that a rule fetches."""
    data = task_of(wildcards).data
    sources = [s for s in (*data.seeds.values(), *data.tests.values(), data.judge) if s and (s.hub or s.url)]
    return list(dict.fromkeys(file for source in sources for file in data_file(source)))


def models_of(weights):
    """A pattern of the models that have a kind of weights; if none has, one that matches nothing."""
    return "|".join(re.escape(n) for n, model in CONFIGURATION.models.items() if model.weights == weights) or "(?!)"


def model_weights(wildcards):
    return CONFIGURATION.models[wildcards.model].weights


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


def labelled_openings(wildcards):
    """Openings of answers that say how well refusals are read, for a kind that counts them."""
    shipped = Path(workflow.basedir) / "resources/judge/refusals.jsonl"
    return [os.path.relpath(shipped)] if kind_of(wildcards).refuses else []


def judge_source_json(wildcards):
    return judge_source(wildcards).model_dump_json()


def where(condition, file):
    """An input that only some tasks have: a file, where `condition` holds of the wildcards; else none."""
    return lambda wildcards: [file(wildcards)] if condition(wildcards) else []


def embedded(*files):
    """Files of embeddings, where the task has a model for them; else none."""

    def find(wildcards):
        if task_of(wildcards).embedding is None:
            return []
        found = [file(wildcards) for file in files]
        return [path for paths in found for path in ([paths] if isinstance(paths, str) else paths)]

    return find


def test_embeddings(wildcards):
    return [made(f"tests/{name}.embeddings.npy")(wildcards) for name in task_of(wildcards).data.tests]


def embedding_cache(wildcards):
    """Vectors that any task has asked this model for."""
    return f"results/models/{model_name('embedding')(wildcards)}.embeddings"


def embedding_settings(wildcards):
    embedding = task_of(wildcards).embedding
    return embedding.model_dump_json() if embedding else "null"


def collapse_gate(wildcards):
    """What tells of a collapse, where that stops the run. Ancient, since an audit that is filled in rewrites it."""
    if task_of(wildcards).alarm.action != "stop":
        return []
    return [ancient(made(f"iter{wildcards.iteration}/eval.json")(wildcards))]


def probed(wildcards):
    return task_of(wildcards).data.probe


def iterated(wildcards):
    return wildcards.arm != "untrained"


def judged(wildcards):
    return kind_of(wildcards).needs_judge


def referenced(wildcards):
    return kind_of(wildcards).needs_references


def multiple_choice(wildcards):
    return kind_of(wildcards).choice is not None


def judge_setting(wildcards):
    judge = task_of(wildcards).judge
    return judge.model_dump_json(exclude=WITHOUT) if judge else "null"


def arm_proposer(wildcards):
    """Proposer k writes in iter{k}; the control is proposer 0's, `untrained` is the base model's."""
    if wildcards.arm == "untrained":
        return model_folder("proposer")(wildcards)[0]
    return made("iter0/proposer" if wildcards.arm == "control" else "{arm}/proposer")(wildcards)


def of_previous(file):
    """A file of the iteration before this one."""
    return lambda wildcards: made(f"iter{int(wildcards.iteration) - 1}/{file}")(wildcards)


def previous_contamination(wildcards):
    """The gate that the pairs of the iteration before this one passed."""
    return f"results/{wildcards.task}/contamination/iter{int(wildcards.iteration) - 1}.json"


def following_proposer(wildcards):
    return f"results/{wildcards.task}/iter{int(wildcards.iteration) + 1}/proposer"


def pruned_before(wildcards):
    """Marks that the weights of earlier proposers are gone, where the task does not keep them."""
    keep = task_of(wildcards).keep
    if keep is None or wildcards.arm == "untrained":
        return []
    return [f"results/{wildcards.task}/iter{k}/pruned.json" for k in range(iteration_of(wildcards)) if k not in keep]


def training_pairs(wildcards):
    """The pairs that trained this proposer: none for proposer 0 and the arm `untrained`."""
    if wildcards.arm in ("iter0", "untrained"):
        return []
    return [made(f"iter{iteration_of(wildcards) - 1}/pairs.jsonl")(wildcards)]


def iteration_of(wildcards):
    return int(wildcards.arm.removeprefix("iter"))


def reference_proposer(wildcards):
    """What DPO is held to: proposer k by default, proposer 0 by configuration."""
    if task_of(wildcards).preference.reference == "warmup":
        return made("iter0/proposer")(wildcards)
    return of_previous("proposer")(wildcards)


def up_to_now(file):
    """A file of iterations 0 to this one."""
    return lambda wildcards: [made(f"iter{k}/{file}")(wildcards) for k in range(int(wildcards.iteration) + 1)]


def before_now(file):
    """A file of the iterations before this one; of none for the arm `untrained`."""

    def find(wildcards):
        count = 0 if wildcards.arm == "untrained" else iteration_of(wildcards)
        return [made(f"iter{k}/{file}")(wildcards) for k in range(count)]

    return find


def of_trained(file):
    """A file of iterations 1 to N."""
    return lambda wildcards: [made(f"iter{k}/{file}")(wildcards) for k in range(1, task_of(wildcards).iterations + 1)]


def of_every(file):
    """A file of iterations 0 to N."""
    return lambda wildcards: [made(f"iter{k}/{file}")(wildcards) for k in range(task_of(wildcards).iterations + 1)]


def of_every_referenced(wildcards):
    return of_every("references.jsonl")(wildcards) if referenced(wildcards) else []


def of_every_but_the_last(file):
    return lambda wildcards: of_every(file)(wildcards)[:-1]


def of_warmup(file):
    """A file of everything that proposer 0 wrote: iteration 0 and the control."""
    return lambda wildcards: [made(f"{arm}/{file}")(wildcards) for arm in ("iter0", "control")]


def of_warmup_and_trained(file):
    return lambda wildcards: [*of_warmup(file)(wildcards), *of_trained(file)(wildcards)]


def judged_references(wildcards):
    return of_warmup_and_trained("reference_judgements.jsonl")(wildcards) if judged(wildcards) else []


def last_iteration(file):
    return lambda wildcards: made(f"iter{task_of(wildcards).iterations}/{file}")(wildcards)


def variant_folder(wildcards):
    """The model of a variant of the target: the original, or what a source made of it."""
    if wildcards.variant == "original":
        return model_folder("target")(wildcards)
    return [f"results/{wildcards.task}/{wildcards.variant}/target"]


def variant_selection(wildcards):
    return [] if wildcards.variant == "original" else [f"results/{wildcards.task}/enhanced/selection.json"]


def configuration_hash(wildcards):
    """SHA-256 of the task's whole configuration, random seed included; but for what decides no result."""
    task = task_of(wildcards)
    names = {"budget", "keep", "report", "shards", "transfer"} | {"safety", "honesty"} - {task.kind}
    left_out = dict.fromkeys(names, True) | dict.fromkeys(("responses", "references", "judge"), set(WITHOUT))
    digest = sha256(task.model_dump_json(exclude=left_out).encode()).hexdigest()
    return f"sha256:{digest}"


def planned_configuration(wildcards):
    """The configuration with this task alone, as JSON: a plan shows what it assumes, which is nothing of other tasks."""
    task_of(wildcards)
    name = wildcards.task.partition(".s")[0]
    alone = {"tasks": {name: CONFIGURATION.tasks[name]}, "faults": {}}
    return CONFIGURATION.model_copy(update=alone).model_dump_json()


def benchmarked(wildcards):
    """A hash of the benchmarks and of the sizes of the kept calls that the task has so far.

    So a plan is written anew when there is more to say: a killed job has no benchmark, and what it asked is paid.
    """
    folder = Path(f"results/{wildcards.task}")
    own = {folder / f"benchmarks/{rule}.tsv" for rule in ("write_plan", "write_resource_usage")}
    files = sorted({*(folder / "benchmarks").rglob("*.tsv")} - own)
    calls = sorted(folder.rglob("*.calls/*.jsonl"))
    said = [(file, file.read_text()) for file in files] + [(file, file.stat().st_size) for file in calls]
    return content_id(*(str(part) for pair in said for part in pair))


def replicates(file):
    """A file of the task for every random seed that a table pools; of one run alone where the name gives its seed."""

    def find(wildcards):
        base, _, seed = wildcards.task.partition(".s")
        seeds = [None] if seed else CONFIGURATION.workflow.random_seeds
        names = [wildcards.task if n is None else base if n == 0 else f"{base}.s{n}" for n in seeds]
        return [CONFIGURATION.place(name, path) for name in names for path in file(wildcards)]

    return find


def first_replicate(file):
    """A file of the task for the first random seed that a table pools."""
    return lambda wildcards: replicates(lambda _: [file])(wildcards)[0]


def trained_models(wildcards):
    """The folders of all that a run of the task trained, of the first random seed."""
    proposers = [f"iter{k}/proposer" for k in range(task_of(wildcards).iterations + 1)]
    targets = [] if model_of("target")(wildcards).endpoint else [f"enhanced/{source}/target" for source in SOURCES]
    return [first_replicate(path)(wildcards) for path in proposers + targets]


def clear_texts(wildcards):
    """The file of texts that the page masks, where the task asks for it."""
    wanted = kind_of(wildcards).harmful and task_of(wildcards).report.include_text
    return [first_replicate("texts.jsonl")(wildcards)] if wanted else []


def reused_tasks(wildcards):
    """The tasks whose files this one may show as its own."""
    names, task = [], task_of(wildcards)
    while task.reuse:
        names.append(task.extends)
        task = CONFIGURATION.tasks[task.extends]
    return names


def own_evals(wildcards):
    """Every eval.json of this task alone, whatever random seeds a table pools."""
    return [made(path)(wildcards) for path in (*proposer_evals(wildcards), *target_evals(wildcards))]


def trusted_references(wildcards):
    """References of all iterations, of a kind whose verdicts rest on them."""
    return of_every("references.jsonl")(wildcards) if referenced(wildcards) else []


def enhancement_rows(wildcards):
    """The rows of every source; an endpoint is not enhanced."""
    sources = [] if model_of("target")(wildcards).endpoint else SOURCES
    return [f"results/{wildcards.task}/enhanced/{source}/train.jsonl" for source in sources]


def described_models(wildcards):
    """What plays each role in the task, in words, as JSON."""

    def described(name):
        model = CONFIGURATION.models.get(name)
        if model is None:
            return f"the exact solver of the invented world {name}"
        if model.hub:
            return f"{model.hub} at {CONFIGURATION.lock.get(model.hub, 'no locked commit')}"
        if model.endpoint:
            return f"{model.endpoint.model}, an endpoint"
        return (
            f"{name}, a tiny model that the workflow trains" if model.train else f"{name}, a folder of the maker's own"
        )

    roles = {role: model_name(role)(wildcards) for role in ("proposer", "target", "teacher", "judge")}
    return json.dumps({role: described(name) for role, name in roles.items() if name})


def pushed_folder(wildcards):
    """What is pushed, once it is said whose repository takes it."""
    if CONFIGURATION.workflow.push.owner is None:
        raise BadInput("config/config.yaml: push.owner: null; name a user or organisation of the hub to push to")
    return made("{artefact}")(wildcards)


def hub_repository(wildcards):
    """The repository of a data set or model: OWNER/TASK, OWNER/TASK-iter3-proposer, OWNER/TASK-reversegen-target."""
    parts = [wildcards.task, *wildcards.artefact.removeprefix("enhanced/").split("/")]
    return f"{CONFIGURATION.workflow.push.owner}/{'-'.join(part for part in parts if part != 'dataset')}"


def tracking(wildcards, threads):
    """Experiment trackers as JSON. A change reruns nothing: Snakemake compares no param of a function that takes `threads`."""
    return CONFIGURATION.workflow.tracking.model_dump_json()


def proposer_evals(wildcards):
    iterations = [f"iter{k}/eval.json" for k in range(task_of(wildcards).iterations + 1)]
    return ["untrained/eval.json", *iterations]


def target_evals(wildcards):
    transfers = [f"transfer/{model}/eval.json" for model in task_of(wildcards).transfer]
    enhanced = [f"enhanced/{source}/eval.json" for source in SOURCES]
    return ["original/eval.json", *(enhanced if not model_of("target")(wildcards).endpoint else []), *transfers]


def test_files(wildcards):
    return [f"tests/{name}.jsonl" for name in task_of(wildcards).data.tests]


def outcome_files(wildcards):
    """What the evaluations of a run are made of, beside each: what every prompt and question came to."""
    proposers, targets = (
        [path.removesuffix("eval.json") for path in evals(wildcards)] for evals in (proposer_evals, target_evals)
    )
    written = [f"{folder}{name}.jsonl" for folder in proposers for name in ("samples", "instructions")]
    sure = [f"{folder}confidences.jsonl" for folder in targets if not folder.startswith("transfer/")]
    labels = [f"{folder}labels.jsonl" for folder in proposers + targets]
    return [*written, *labels, *(sure if multiple_choice(wildcards) else [])]


def listed_tasks(wildcards):
    return getattr(CONFIGURATION.workflow.tables, wildcards.table)


def faulty_tasks(wildcards):
    """The tasks of a table that have a fault, each with what it is."""
    faults = {name: CONFIGURATION.faults.get(name.partition(".s")[0]) for name in listed_tasks(wildcards)}
    return [f"{name} ({fault})" for name, fault in faults.items() if fault]


def table_tasks(wildcards):
    """The tasks of a table, as the configuration lists them, without those that have a fault."""
    names = [name for name in listed_tasks(wildcards) if name.partition(".s")[0] not in CONFIGURATION.faults]
    for name in names:
        try:
            CONFIGURATION.task(name)
        except BadInput as error:
            raise BadInput(f"config/config.yaml: tables.{wildcards.table}: {error}") from None
    return names


def own_runs(name):
    """The runs of a task that have measured anything, whatever their random seeds. They are only looked for, never planned."""
    folders = [f.name for f in Path("results").glob(f"{name}*") if re.fullmatch(rf"{name}(\.s[1-9][0-9]*)?", f.name)]
    found = [run for run in folders if any(Path("results", run).rglob("eval.json"))]
    return sorted(found, key=lambda run: (len(run), run))


def shipped_runs(name):
    """The stored results of a task that ship with the workflow, for those who have none of their own."""
    folder = Path(os.path.relpath(Path(workflow.basedir) / "resources/example"))
    files = [*folder.glob(f"{name}.json"), *folder.glob(f"{name}.s[0-9]*.json")]
    return sorted(map(str, files), key=lambda file: (len(file), file))


def own_outcomes(wildcards):
    return [f"results/{run}/outcomes.json" for name in table_tasks(wildcards) for run in own_runs(name)]


def shipped_outcomes(wildcards):
    """Ancient, since a clone gives them the time of its checkout."""
    tasks = [name for name in table_tasks(wildcards) if not own_runs(name)]
    return [ancient(file) for name in tasks for file in shipped_runs(name)]


def reported_numbers():
    """Numbers of others, to stand beside ours."""
    return os.path.relpath(Path(workflow.basedir) / "resources/reported.csv")


def without_results(wildcards):
    return [name for name in table_tasks(wildcards) if not own_runs(name) and not shipped_runs(name)]


def measured(wildcards):
    """The evaluations of a run that are there. No input, which would make what is missing or out of date: that trains models."""
    names = [*proposer_evals(wildcards), *target_evals(wildcards)]
    return [file for name in names if Path(file := made(name)(wildcards)).is_file()]


def measured_state(wildcards):
    """A hash of what was measured, so that it is collected anew when there is more."""
    return content_id(*(Path(file).read_text() for file in measured(wildcards)))


def tests_there(wildcards):
    """The test sets of a run; none where one is gone."""
    files = test_questions(wildcards)
    return files if all(Path(file).is_file() for file in files) else []


def extended_task(wildcards):
    return task_of(wildcards).extends or ""


def quicken_plans():
    """Take two fifths off the processor's time of a plan of thousands of jobs, without a change to it.

    What is planned lives to the end: looking for garbage in it finds none, then or when the process ends. Snakemake asks for
    the parameters of every function some times a job, and for the rules that make a file once for each job that reads it.
    """
    gc.set_threshold(1_000_000)
    atexit.register(gc.freeze)
    cached = functools.cache(snakemake.common.get_function_params)
    snakemake.common.get_function_params = snakemake.rules.get_function_params = cached
    index = snakemake.output_index.OutputIndex
    index.match_producers = functools.cache(index.match_producers)
    snakemake.dag.DAG.validate_group = validate_group


def validate_group(dag, group, refuse=snakemake.dag.DAG.validate_group):
    """Walk up from all inputs of a group at once; Snakemake's own walks, one from each, are for the message of what is refused."""
    inputs = (d for job in group.jobs for d in dag._dependencies[job] if d not in group.jobs)
    if any(job in group.jobs for job in dag.bfs(dag._dependencies, *inputs)):
        refuse(dag, group)
