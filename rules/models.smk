# Models and data from which the tasks start.
#
# Needs: config/models.yaml; for hub ids and hub data, their commits in config/lock.yaml and a network.
# Makes: results/models/{model}/ (tiny models, and those of GGUF files); resources/downloads/ with models/{model}/, bin/{model}/,
#        data/{data}.jsonl, files/{file}, packages/{file}, and manifests; results/{task}/prefetch.json, after all downloads of a
#        task are made and checked
# Steps: pin_revisions; write_corpus, train_model; check_access; fetch_model, or fetch_bin and convert_model; fetch_data,
#        fetch_file; fetch_package, convert_gguf, fetch_packaged_model; prefetch_task


onstart:
    with ending_snakemake():
        file_checks.check()
        asked_models.check_engines()
        if reason := asked_models.check():
            print(f"No conversation was rendered before the start: {reason}", file=sys.stderr)


rule pin_revisions:
    log:
        "results/models/logs/pin_revisions.log",
    benchmark:
        "results/models/benchmarks/pin_revisions.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        stage=stage("base", "pin_revisions"),
        models=models.hub_models(CONFIGURATION),
        data=models.hub_data(CONFIGURATION),
        lock="config/lock.yaml",
        code=code("pin_revisions"),
    shell:
        "HF_HUB_OFFLINE=0 {params.stage} --models {params.models:q} --data {params.data:q} --lock {params.lock:q} --log {log:q}"


rule write_corpus:
    input:
        world=world_tables,
    output:
        corpus="results/models/{model}.corpus.jsonl",
    log:
        "results/models/logs/{model}/write_corpus.log",
    benchmark:
        "results/models/benchmarks/{model}/write_corpus.tsv"
    group:
        "models.{model}"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=tiny_model("corpus"),
        code=code("write_corpus"),
    script:
        "../scripts/write_corpus.py"


rule train_model:
    input:
        corpus=rules.write_corpus.output.corpus,
    output:
        folder=directory("results/models/{model}"),
    log:
        "results/models/logs/{model}/train_model.log",
    benchmark:
        "results/models/benchmarks/{model}/train_model.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "train"),
    group:
        "models.{model}"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        stage=stage("train", "train_model"),
        settings=tiny_model(None),
        code=code("train_model"),
    shell:
        "{params.stage} --corpus {input.corpus:q} --folder {output.folder:q} --settings {params.settings:q}"
        " --threads {threads} --log {log:q}"


rule check_access:
    input:
        noted=fetches.note,
    output:
        access=temp("resources/downloads/access/{fetched}.json"),
    log:
        "results/models/logs/{fetched}/check_access.log",
    benchmark:
        "results/models/benchmarks/{fetched}/check_access.tsv"
    wildcard_constraints:
        fetched=r"(models|bin|data)/[^/]+",
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1000  # more than any machine has, so that one job runs at a time and the list is shown once
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        stage=stage("base", "check_access"),
        models=fetches.repositories("models"),
        pickled=fetches.repositories("bin"),
        data=fetches.repositories("data"),
        code=code("check_access"),
    shell:
        "HF_HUB_OFFLINE=0 {params.stage} --models {params.models:q} --pickled {params.pickled:q} --data {params.data:q}"
        " --access {output.access:q} --log {log:q}"


rule fetch_model:
    input:
        access="resources/downloads/access/models/{model}.json",
    output:
        folder=directory("resources/downloads/models/{model}"),
    log:
        "results/models/logs/{model}/fetch_model.log",
    benchmark:
        "results/models/benchmarks/{model}/fetch_model.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "safetensors"),
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        stage=stage("base", "fetch_model"),
        repo=model_repo,
        revision=model_revision,
        weights=model_weights,
        code=code("fetch_model"),
    shell:
        "HF_HUB_OFFLINE=0 {params.stage} --repo {params.repo} --revision={params.revision:q} --weights {params.weights}"
        " --folder {output.folder:q} --log {log:q}"


use rule fetch_model as fetch_bin with:
    input:
        access="resources/downloads/access/bin/{model}.json",
    output:
        folder=temp(directory("resources/downloads/bin/{model}")),
    log:
        "results/models/logs/{model}/fetch_bin.log",
    benchmark:
        "results/models/benchmarks/{model}/fetch_bin.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "bin"),
    localrule: True


rule convert_model:
    input:
        source="resources/downloads/bin/{model}",
    output:
        folder=directory("resources/downloads/models/{model}"),
    log:
        "results/models/logs/{model}/convert_model.log",
    benchmark:
        "results/models/benchmarks/{model}/convert_model.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "bin"),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        stage=stage("train", "convert_model"),
        code=code("convert_model"),
    shell:
        "{params.stage} --source {input.source:q} --folder {output.folder:q} --log {log:q}"


rule fetch_data:
    input:
        access="resources/downloads/access/data/{data}.json",
    output:
        rows="resources/downloads/data/{data}.jsonl",
        manifest="resources/downloads/data/{data}.jsonl.manifest.json",
    log:
        "results/models/logs/data/{data}.log",
    benchmark:
        "results/models/benchmarks/data/{data}.tsv"
    localrule: True
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        stage=stage("train", "fetch_data"),
        source=data_source,
        revision=data_revision,
        code=code("fetch_data"),
    shell:
        "HF_HUB_OFFLINE=0 {params.stage} --source {params.source:q} --revision={params.revision:q} --rows {output.rows:q}"
        " --manifest {output.manifest:q} --log {log:q}"


rule fetch_file:
    output:
        content="resources/downloads/files/{file}",
        manifest="resources/downloads/files/{file}.manifest.json",
    log:
        "results/models/logs/files/{file}.log",
    benchmark:
        "results/models/benchmarks/files/{file}.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        stage=stage("base", "fetch_file"),
        source=url_source,
        code=code("fetch_file"),
    shell:
        "{params.stage} --source {params.source:q} --content {output.content:q} --manifest {output.manifest:q} --log {log:q}"


rule fetch_package:
    output:
        place="resources/downloads/packages/{file}",
        manifest="resources/downloads/packages/{file}.manifest.json",
    log:
        "results/models/logs/packages/{file}.log",
    benchmark:
        "results/models/benchmarks/packages/{file}.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        stage=stage("base", "fetch_package"),
        source=package_source,
        code=code("fetch_package"),
    shell:
        "{params.stage} --source {params.source:q} --place {output.place:q} --log {log:q}"


use rule fetch_package as fetch_packaged_model with:
    output:
        place=directory("resources/downloads/models/{model}"),
    log:
        "results/models/logs/{model}/fetch_packaged_model.log",
    benchmark:
        "results/models/benchmarks/{model}/fetch_packaged_model.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "package"),
    localrule: True


rule convert_gguf:
    input:
        source=gguf_source,
    output:
        folder=directory("results/models/{model}"),
    log:
        "results/models/logs/{model}/convert_gguf.log",
    benchmark:
        "results/models/benchmarks/{model}/convert_gguf.tsv"
    wildcard_constraints:
        model=models.models_of(CONFIGURATION, "gguf"),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=size_of("mem_mb"),
        runtime=60,
    params:
        stage=stage("train", "convert_gguf"),
        code=code("convert_gguf"),
    shell:
        "{params.stage} --source {input.source:q} --folder {output.folder:q} --threads {threads} --log {log:q}"


rule prefetch_task:
    input:
        models=fetched_models,
        data=fetched_data,
    output:
        prefetch="results/{task}/prefetch.json",
    log:
        "results/{task}/logs/prefetch_task.log",
    benchmark:
        "results/{task}/benchmarks/prefetch_task.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        code=code("prefetch_task"),
    script:
        "../scripts/prefetch_task.py"
